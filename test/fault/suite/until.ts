import { setTimeout as wait } from 'node:timers/promises'

const patienceMs = 90_000
const lookEveryMs = 20

/** What other faults keep from succeeding is tried again. Throws what it came to in the end. */
export async function until(
  isSo: () => Promise<boolean>,
  { withinMs = patienceMs, everyMs = lookEveryMs }: { withinMs?: number; everyMs?: number } = {},
): Promise<void> {
  for (const untilMs = Date.now() + withinMs; ; await wait(everyMs)) {
    const error = await isSo().then(
      (yes) => (yes ? undefined : new Error('it did not come to be')),
      (reason: unknown) => (reason instanceof Error ? reason : new Error(String(reason))),
    )
    if (error === undefined) return
    if (Date.now() > untilMs) throw error
  }
}

/** The answer of something that is tried again until there is one. */
export async function untilDone<T>(
  work: () => Promise<T>,
  options: { withinMs?: number; everyMs?: number } = {},
): Promise<T> {
  const done: T[] = []
  await until(async () => {
    done.push(await work())
    return true
  }, options)
  const [first] = done
  if (first === undefined) throw new Error('it has no answer')
  return first
}
