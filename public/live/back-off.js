/** What is waited at most before another attempt. */
const pauseMaxMs = 15_000

/**
 * How long to wait before attempt 1, 2, 3 …: longer each time, and by half a matter of chance, so that a crowd that
 * was cut off together does not come back together.
 * @param {number} attempt
 * @param {() => number} random 0 ≤ random < 1
 */
export function backOffMs(attempt, random) {
  const full = Math.min(pauseMaxMs, 400 * 2 ** Math.min(attempt - 1, 10))
  return full * (0.5 + random() / 2)
}
