import type { Fetch } from '../../../src/client/client-ports.ts'

/** Of calls that change something so many are sent once more. */
const share = 0.05

/**
 * A `fetch` that sends some calls twice, at once, as a network does and an impatient finger: the same request with the
 * same key. The first answer is the one that counts.
 */
export function twice(fetch: Fetch, random: () => number): Fetch {
  return async (url, init) => {
    const isStream = init.headers['accept'] === 'text/event-stream'
    if (init.method === 'GET' || isStream || random() >= share) return await fetch(url, init)
    const again = fetch(url, init).then((response) => response.text())
    again.catch(() => undefined)
    return await fetch(url, init)
  }
}
