import type { Fetch, FetchInit } from '../../../src/client/client-ports.ts'

interface HoldTold {
  readonly id: string
  readonly expiresAt: string
}

/** After the end of a hold. */
const lateByMs = 100

/** A `fetch` behind which every hold that nobody has ordered by its end is ordered all the same, just after it. */
export class LateOrders {
  readonly fetch: Fetch
  readonly #ordered = new Set<string>()
  readonly #waiting = new Set<NodeJS.Timeout>()

  constructor(fetch: Fetch) {
    this.fetch = async (url, init) => {
      if (init.method === 'POST' && url.endsWith('/orders')) this.#ordered.add(holdIn(init))
      const response = await fetch(url, init)
      if (init.method !== 'POST' || !url.endsWith('/holds') || response.status !== 201) return response
      const { status, headers, body } = response
      const text = async (): Promise<string> => {
        const told = await response.text()
        this.#wait(fetch, { url, init, hold: (JSON.parse(told) as { hold: HoldTold }).hold })
        return told
      }
      return { status, headers, body, text }
    }
  }

  stop(): void {
    for (const timer of this.#waiting) clearTimeout(timer)
  }

  #wait(fetch: Fetch, { url, init, hold }: { url: string; init: FetchInit; hold: HoldTold }): void {
    const timer = setTimeout(
      () => {
        this.#waiting.delete(timer)
        if (this.#ordered.has(hold.id)) return
        const { signal: _, ...rest } = init
        const body = JSON.stringify({ hold: hold.id, payment: { method: 'sandbox_approve' } })
        void fetch(`${new URL(url).origin}/api/v1/orders`, { ...rest, body }).then(
          (response) => response.text(),
          () => undefined,
        )
      },
      Date.parse(hold.expiresAt) + lateByMs - Date.now(),
    )
    this.#waiting.add(timer)
  }
}

function holdIn({ body }: FetchInit): string {
  return /"hold":"(\w+)"/.exec(body ?? '')?.[1] ?? ''
}
