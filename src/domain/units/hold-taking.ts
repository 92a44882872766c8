import { Problem } from '../../errors.ts'
import { sequenceOfTokenId } from '../queue/queue-place.ts'
import { saleFailure, saleFailures, saleStateErrors } from '../sale-state/sale-failures.ts'
import type { UnitTable } from '../sales/unit-table.ts'
import { bestGroups, bestPools, type BestWanted } from './best-available.ts'
import { rowsOf, seatsLeftAlone } from './single-seats.ts'
import { unitErrors } from './unit-errors.ts'
import type { Hold, Want } from './hold.ts'
import type { HoldStore } from './hold-store.ts'

/** What a buyer asks for: units by their codes, or the best that stand together. */
export type HoldRequest =
  | { readonly units: readonly { readonly unit: string; readonly quantity?: number | undefined }[] }
  | { readonly best: BestWanted }

export interface HoldTakingOptions {
  readonly holds: HoldStore
  /** The free places of a unit, as this process last heard. */
  readonly freePlaces: (saleId: string) => Promise<(unitNo: number) => number>
  readonly random: () => number
}

export interface Holder {
  readonly accountId: string
  /** `jti` of the purchase token. */
  readonly jti: string
}

/** Groups offered to Redis in one call; the first that is wholly free is taken. */
const groupsMax = 8

/** Groups looked at where those that leave a single seat alone are passed over. */
const groupsSifted = 64

/** How often the best seats are looked for anew when others were quicker. */
const triesMax = 4

/**
 * The id of a hold names its sale as well, so that a hold can be given back or ordered by its id alone.
 * @param id a fresh `hol_` id
 */
export function holdIdFor(saleId: string, id: string): string {
  return `${id}${saleId.slice('sal_'.length)}`
}

/** The sale a hold belongs to. Throws `hold_gone` for what is no hold id. */
export function saleIdOfHold(holdId: string): string {
  const match = /^hol_[0-9a-z]{20}([0-9a-z]{20})$/.exec(holdId)
  if (match === null) throw new Problem(saleStateErrors.hold_gone)
  return `sal_${match[1]}`
}

/** Holds what is asked for, all of it or nothing. */
export class HoldTaking {
  readonly #options: HoldTakingOptions

  constructor(options: HoldTakingOptions) {
    this.#options = options
  }

  async take(
    asked: {
      saleId: string
      holdId: string
      holder: Holder
      request: HoldRequest
      /** Of the sale. */
      singleSeats: 'allowed' | 'refused'
    },
    units: UnitTable,
  ): Promise<Hold> {
    const sequence = sequenceOfTokenId(asked.holder.jti)
    if (sequence === undefined) throw new Problem(saleStateErrors.admission_over)
    const base = { holdId: asked.holdId, accountId: asked.holder.accountId, sequence }
    const sifts = asked.singleSeats === 'refused'
    if ('best' in asked.request) {
      return await this.#takeBest({ saleId: asked.saleId, base, want: asked.request.best, sifts }, units)
    }
    const wants = wantsOf(asked.request.units, units)
    const taking = await this.#options.holds.take(asked.saleId, {
      ...base,
      ...alternativesOf([wants], sifts, units),
    })
    if ('hold' in taking) return taking.hold
    throw 'taken' in taking ? unitsTaken(taking.taken, units) : leavesSingleSeat(taking.leftAlone, units)
  }

  async #takeBest(
    asked: {
      saleId: string
      base: { holdId: string; accountId: string; sequence: number }
      want: BestWanted
      sifts: boolean
    },
    units: UnitTable,
  ): Promise<Hold> {
    const { saleId, base, want, sifts } = asked
    for (let tries = 1; tries <= triesMax; tries++) {
      const free = await this.#options.freePlaces(saleId)
      const alternatives = this.#alternatives(units, free, want, sifts)
      if (alternatives.length === 0) break
      const taking = await this.#options.holds.take(saleId, {
        ...base,
        ...alternativesOf(alternatives, sifts, units),
      })
      if ('hold' in taking) return taking.hold
    }
    throw new Problem(unitErrors.none_together)
  }

  #alternatives(
    units: UnitTable,
    free: (unitNo: number) => number,
    want: BestWanted,
    sifts: boolean,
  ): Want[][] {
    const { random } = this.#options
    if (units.kind === 'slots') {
      return bestPools(units, free, want, { groupsMax }).map((unitNo) => [{ unitNo, quantity: want.count }])
    }
    const isFree = (unitNo: number): boolean => free(unitNo) > 0
    const options = { groupsMax: sifts ? groupsSifted : groupsMax, random }
    const groups = bestGroups(units, isFree, want, options)
      .filter((group) => !sifts || seatsLeftAlone(units, isFree, group).length === 0)
      .slice(0, groupsMax)
    return groups.map((group) => group.map((unitNo) => ({ unitNo, quantity: 1 })))
  }
}

/** What may be taken, and where it has to be looked for seats left alone. */
function alternativesOf(alternatives: readonly (readonly Want[])[], sifts: boolean, units: UnitTable) {
  if (!sifts) return { alternatives }
  const wanted = alternatives.flatMap((wants) => wants.map(({ unitNo }) => unitNo))
  return { alternatives, rows: rowsOf(units, wanted) }
}

function leavesSingleSeat(unitNos: readonly number[], units: UnitTable): Problem {
  const codes = unitNos.map((unitNo) => units.codes[unitNo])
  return new Problem(saleStateErrors.leaves_single_seat, {
    detail: `Left alone: ${codes.join(', ')}. Nothing was held.`,
    extra: { units: codes },
  })
}

function wantsOf(
  asked: readonly { unit: string; quantity?: number | undefined }[],
  units: UnitTable,
): Want[] {
  const wants = new Map<number, number>()
  const unknown: string[] = []
  for (const { unit, quantity = 1 } of asked) {
    const unitNo = units.unitNoOf(unit)
    if (unitNo === undefined) unknown.push(unit)
    else wants.set(unitNo, (wants.get(unitNo) ?? 0) + quantity)
  }
  if (unknown.length > 0) throw new Problem(unitErrors.no_such_unit, { extra: { units: unknown } })
  const list = [...wants].map(([unitNo, quantity]) => ({ unitNo, quantity }))
  // More than a unit has at all is not "taken": asking again never helps.
  const tooMany = list.filter(({ unitNo, quantity }) => quantity > (units.capacity[unitNo] ?? 0))
  if (tooMany.length > 0) {
    throw new Problem(unitErrors.beyond_capacity, {
      extra: { units: tooMany.map(({ unitNo }) => units.codes[unitNo]) },
    })
  }
  if (list.reduce((sum, { quantity }) => sum + quantity, 0) > 50) throw saleFailure(saleFailures.limit)
  return list
}

export function unitsTaken(unitNos: readonly number[], units: UnitTable): Problem {
  const codes = unitNos.map((unitNo) => units.codes[unitNo])
  return new Problem(saleStateErrors.unit_taken, {
    detail: `Not free: ${codes.join(', ')}. Nothing was held.`,
    extra: { units: codes },
  })
}
