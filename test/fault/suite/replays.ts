import { setTimeout as wait } from 'node:timers/promises'
import type { Fetch, FetchInit } from '../../../src/client/client-ports.ts'

/** Of calls that change something so many are sent once more. */
const shares = { atOnce: 0.05, later: 0.04, otherKey: 0.02 }
const laterMs = { least: 200, most: 3_000 }

/** What may come again long after, in another order: it names what it makes or ends. */
const lasting = /\/(?:holds|bookings|orders)(?:\/|$)/
/** What makes something of its own under each key is the buyer's own doing; these are not. */
const sameUnderAnyKey = /\/(?:orders|queue)$/

/**
 * A `fetch` that sends some calls again, as a network does, an impatient finger and a script: at once or later, when others
 * have come between, with the same key; or with another one. The first answer is the one that counts.
 */
export function replaying(fetch: Fetch, random: () => number): Fetch {
  return async (url, init) => {
    if (init.method !== 'GET') {
      const chance = random()
      if (chance < shares.atOnce) void again(url, init)
      else if (chance < shares.atOnce + shares.later) {
        if (lasting.test(url))
          void later(url, init, laterMs.least + random() * (laterMs.most - laterMs.least))
      } else if (chance < shares.atOnce + shares.later + shares.otherKey) {
        if (sameUnderAnyKey.test(url)) void again(url, withOtherKey(init, random))
      }
    }
    return await fetch(url, init)
  }

  async function again(url: string, { signal: _, ...init }: FetchInit): Promise<void> {
    await fetch(url, init).then(
      (response) => response.text(),
      () => undefined,
    )
  }

  async function later(url: string, init: FetchInit, ms: number): Promise<void> {
    await wait(ms)
    await again(url, init)
  }
}

function withOtherKey(init: FetchInit, random: () => number): FetchInit {
  return { ...init, headers: { ...init.headers, 'idempotency-key': `other-${random()}` } }
}
