import { Problem } from '../../errors.ts'
import {
  hasAccountRules,
  beyondLimits,
  type AccountStanding,
  type StandingAsked,
} from '../orders/account-limits.ts'
import { sequenceOfTokenId } from '../queue/queue-place.ts'
import { saleFailure, saleFailures, saleStateErrors } from '../sale-state/sale-failures.ts'
import type { Sale } from '../sales/sale.ts'
import type { UnitTable } from '../sales/unit-table.ts'
import { bestGroups, bestPools, type BestWanted } from './best-available.ts'
import { nearestSlots } from './nearest-slots.ts'
import { rowsOf, seatsLeftAlone } from './single-seats.ts'
import { unitErrors } from './unit-errors.ts'
import type { Hold, Want } from './hold.ts'
import type { HoldAsked, HoldStore } from './hold-store.ts'

/** What a buyer asks for: units by their codes, or the best that stand together. */
export type HoldRequest =
  | { readonly units: readonly { readonly unit: string; readonly quantity?: number | undefined }[] }
  | { readonly best: BestWanted }

export interface HoldTakingOptions {
  readonly holds: HoldStore
  /** The free places of a unit, as this process last heard. */
  readonly freePlaces: (saleId: string) => Promise<(unitNo: number) => number>
  /** What an account has booked, where the sale asks for it. */
  readonly standing: (asked: StandingAsked) => Promise<AccountStanding>
  readonly random: () => number
}

/** What is known of the sale by whoever asks for a hold in it. */
export type HoldSale = Pick<Sale, 'id' | 'singleSeats' | 'storeId' | 'onePerUnit'>

export interface Holder {
  readonly accountId: string
  /** `jti` of the purchase token. */
  readonly jti: string
}

/** Groups offered to Redis in one call; the first that is wholly free is taken. */
const groupsMax = 8

/** Groups looked at where those that leave a single seat alone are passed over. */
const groupsSifted = 64

const noUnits: ReadonlySet<number> = new Set()

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
      sale: HoldSale
      holdId: string
      holder: Holder
      request: HoldRequest
      /** Pins the hold at once: it ends only with this order. */
      orderId?: string
    },
    units: UnitTable,
  ): Promise<Hold> {
    const { sale, holdId, request } = asked
    const sequence = sequenceOfTokenId(asked.holder.jti)
    if (sequence === undefined) throw new Problem(saleStateErrors.admission_over)
    const base = { holdId, accountId: asked.holder.accountId, sequence, orderId: asked.orderId }
    const sifts = sale.singleSeats === 'refused'
    const wants = 'best' in request ? undefined : wantsOf(request.units, units)
    const had = hasAccountRules(sale) ? await this.#mustBeAllowed(asked, wants, units) : noUnits
    if ('best' in request) {
      return await this.#takeBest({ saleId: sale.id, base, want: request.best, sifts, had }, units)
    }
    const taking = await this.#options.holds.take(sale.id, {
      ...base,
      ...alternativesOf([wants ?? []], sifts, units),
    })
    if ('hold' in taking) return taking.hold
    if ('leftAlone' in taking) throw leavesSingleSeat(taking.leftAlone, units)
    throw await this.#takenProblem(sale.id, { taken: taking.taken, wants: wants ?? [] }, units)
  }

  /**
   * Says no to what the order would be refused for, before anything is held. Throws `one_per_unit`, `already_booked`,
   * `already_held`, `store_limit_reached`.
   * @returns the units that the account has already and may not have twice
   */
  async #mustBeAllowed(
    { sale, holdId, holder: { accountId }, request }: Parameters<HoldTaking['take']>[0],
    wants: readonly Want[] | undefined,
    units: UnitTable,
  ): Promise<ReadonlySet<number>> {
    const quantitiesAsked = wants?.map(({ quantity }) => quantity) ?? []
    const places = 'best' in request ? request.best.count : quantitiesAsked.reduce((sum, one) => sum + one, 0)
    const perUnit = 'best' in request ? places : Math.max(...quantitiesAsked)
    if (sale.onePerUnit && perUnit > 1) throw new Problem(unitErrors.one_per_unit)
    const [held, standing] = await Promise.all([
      sale.onePerUnit ? this.#options.holds.listOf(sale.id, accountId) : [],
      this.#options.standing({ saleId: sale.id, storeId: sale.storeId, accountId }),
    ])
    // A hold that is asked for once more is the same hold.
    if (held.some(({ id }) => id === holdId)) return noUnits
    const unitNos = wants?.map(({ unitNo }) => unitNo) ?? []
    const problem = beyondLimits(standing, { rules: sale, unitNos, places }, units)
    if (problem !== undefined) throw problem
    const twice = held.find((hold) => hold.places.some(({ unitNo }) => unitNos.includes(unitNo)))
    if (twice !== undefined) throw new Problem(unitErrors.already_held, { extra: { hold: twice.id } })
    if (!sale.onePerUnit) return noUnits
    const heldUnits = held.flatMap((hold) => hold.places.map(({ unitNo }) => unitNo))
    return new Set([...standing.booked.map(({ unitNo }) => unitNo), ...heldUnits])
  }

  async #takenProblem(
    saleId: string,
    { taken, wants }: { taken: readonly number[]; wants: readonly Want[] },
    units: UnitTable,
  ): Promise<Problem> {
    const [first] = taken
    if (units.kind === 'seats' || first === undefined) return unitsTaken(taken, units)
    const free = await this.#options.freePlaces(saleId)
    if (free(first) > 0) return unitsTaken(taken, units)
    const quantity = wants.find(({ unitNo }) => unitNo === first)?.quantity ?? 1
    return new Problem(unitErrors.fully_booked, {
      detail: `Full: ${units.codes[first]}. Nothing was held.`,
      extra: {
        units: taken.map((unitNo) => units.codes[unitNo]),
        nearest: nearestSlots(units, free, { unitNo: first, quantity }),
      },
    })
  }

  async #takeBest(
    asked: {
      saleId: string
      base: Omit<HoldAsked, 'alternatives'>
      want: BestWanted
      sifts: boolean
      /** What the account may not have once more. */
      had: ReadonlySet<number>
    },
    units: UnitTable,
  ): Promise<Hold> {
    const { saleId, base, want, sifts, had } = asked
    for (let tries = 1; tries <= triesMax; tries++) {
      const leftOf = await this.#options.freePlaces(saleId)
      const free = (unitNo: number): number => (had.has(unitNo) ? 0 : leftOf(unitNo))
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
