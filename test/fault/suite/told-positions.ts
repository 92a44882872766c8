import { createHash } from 'node:crypto'
import type { UnitMap } from '../../../src/client/unit-map.ts'
import type { Breach, Judged } from './promises.ts'

/** Maps told to different people, from different processes and over different ways, are the same at the same position. */
export class ToldPositions {
  readonly #first = new Map<string, { readonly digest: string; readonly who: string; isShared: boolean }>()
  readonly #breaches: Breach[] = []

  get judged(): Judged {
    const positions = [...this.#first.values()].filter(({ isShared }) => isShared).length
    return { breaches: this.#breaches, looked: { positions } }
  }

  saw(sale: string, map: UnitMap, who: string): void {
    const position = `${map.position} of ${sale}`
    const digest = digestOf(map)
    const first = this.#first.get(position)
    if (first === undefined) return void this.#first.set(position, { digest, who, isShared: false })
    if (first.who !== who) first.isShared = true
    if (first.digest !== digest)
      this.#breaches.push({ promise: 6, what: `${who} and ${first.who} know different maps at ${position}` })
  }
}

function digestOf({ seats, pools }: UnitMap): string {
  const counts = [...pools].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha1').update(seats).update(JSON.stringify(counts)).digest('base64')
}
