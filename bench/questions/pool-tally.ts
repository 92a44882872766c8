import type { Taken } from '../load/pool-calls.ts'
import type { PoolShape, Standing } from './pool-design.ts'
import { check, type Check } from '../measure/turn.ts'

/** What went right and wrong in the turns of one design, added up. */
export class PoolTally {
  readonly #name: string
  #expected = 0
  #given = 0
  #rows = 0
  #places = 0
  #unwritten = 0
  #toBeRefused = 0
  #refused = 0
  #counter: number | null = 0
  readonly #otherAnswers = new Map<string, number>()

  constructor(name: string) {
    this.#name = name
  }

  add(turn: {
    readonly shape: PoolShape
    readonly taken: Taken
    readonly standing: readonly Standing[]
    readonly counter: number | null
    readonly soldOutCodes: readonly string[]
  }): void {
    const { shape, taken, standing, counter, soldOutCodes } = turn
    const expected = Math.min(shape.asked, shape.pools * shape.capacity)
    this.#expected += expected
    this.#given += taken.given.length
    this.#rows += standing.length
    this.#places += placesWithin(standing, shape.capacity)
    this.#unwritten += unwritten(taken, standing)
    this.#toBeRefused += shape.asked - expected
    this.#counter = counter === null || this.#counter === null ? null : this.#counter + counter
    for (const [code, count] of Object.entries({ ...taken.refused, unanswered: taken.unanswered }))
      if (soldOutCodes.includes(code)) this.#refused += count
      else if (count > 0) this.#otherAnswers.set(code, (this.#otherAnswers.get(code) ?? 0) + count)
  }

  checks(): Check[] {
    const name = this.#name
    const others = [...this.#otherAnswers].map(([code, count]) => `${count} ${code}`)
    return [
      check(`${name}: places given`, this.#expected, this.#given),
      check(`${name}: places in PostgreSQL`, this.#expected, this.#rows),
      check(`${name}: different places within capacity`, this.#expected, this.#places),
      check(`${name}: places that were given and are not in PostgreSQL`, 0, this.#unwritten),
      check(`${name}: told that nothing is left`, this.#toBeRefused, this.#refused),
      { name: `${name}: other answers`, ok: others.length === 0, detail: others.join(', ') },
      ...(this.#counter === null
        ? []
        : [check(`${name}: places sold in Redis`, this.#expected, this.#counter)]),
    ]
  }
}

/** Places with a number from 1 to the capacity, each counted once. */
export function placesWithin(standing: readonly Standing[], capacity: number): number {
  return new Set(
    standing.filter(({ no }) => no >= 1 && no <= capacity).map(({ pool, no }) => `${pool}:${no}`),
  ).size
}

/** Places that the crowd was told it has, and the database knows nothing of; or that it was given twice. */
export function unwritten(taken: Pick<Taken, 'given'>, standing: readonly Standing[]): number {
  const left = new Set(standing.map(({ place }) => place))
  return taken.given.filter((place) => !left.delete(place)).length
}
