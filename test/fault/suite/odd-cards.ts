import type { Fetch } from '../../../src/client/client-ports.ts'

/** Of cards so many are odd: refused without a word, approved without a word, late. */
const share = 0.2
const oddMethods = ['sandbox_refuse_never', 'sandbox_never', 'sandbox_late', 'sandbox_refuse'] as const

/** A `fetch` that pays some orders by a card at which the provider behaves badly. A repeated order keeps its card. */
export function withOddCards(fetch: Fetch, random: () => number): Fetch {
  const cards = new Map<string, string>()
  return async (url, init) => {
    const hold = /"hold":"(\w+)".*"method":"sandbox_approve"/.exec(init.body ?? '')?.[1]
    if (hold === undefined) return await fetch(url, init)
    if (!cards.has(hold)) cards.set(hold, random() < share ? oneOf(random) : 'sandbox_approve')
    const body = init.body?.replace('sandbox_approve', cards.get(hold) ?? '')
    return await fetch(url, { ...init, ...(body === undefined ? {} : { body }) })
  }
}

function oneOf(random: () => number): string {
  return oddMethods[Math.floor(random() * oddMethods.length)] ?? 'sandbox_never'
}
