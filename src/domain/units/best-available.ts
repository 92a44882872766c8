import type { SeatRows, UnitTable } from '../sales/unit-table.ts'

export interface BestWanted {
  /** Seats side by side, or places in one pool. */
  readonly count: number
  /** Code of a section. */
  readonly section?: string | undefined
  /** Name of a price class. */
  readonly priceClass?: string | undefined
}

export interface BestOptions {
  /** Groups given back, at most. */
  readonly groupsMax: number
  /** Among how many of the best they are chosen. */
  readonly amongMax?: number
  /** As Math.random. */
  readonly random: () => number
}

interface Group {
  readonly first: number
  /** Smaller is better. */
  readonly cost: number
}

/** Seats sideways of the middle that are as bad as one row further back. */
const seatsPerRowBack = 3
/** Above any number of half seats that a group can be off the middle of its row. */
const offsetsMax = 4_096
/** Above any number of rows in a section, counting those that a seat far from the middle is worth. */
const bandsMax = 4_096

/**
 * Groups of free seats side by side in one row and price class, each as unit numbers from left to right. No two groups
 * share a seat, so whoever finds the first one taken goes on with the next. Sections rank in their order, then rows near the
 * stage and seats near the middle, then groups that leave no single seat alone between taken ones. From the best of these
 * some are drawn by lot, so that many who ask at the same moment are not all sent to the same seats.
 * Empty exactly when there is no such group, or no such section or class.
 */
export function bestGroups(
  units: UnitTable,
  isFree: (unitNo: number) => boolean,
  want: BestWanted,
  options: BestOptions,
): number[][] {
  const { seatRows } = units
  const section = want.section === undefined ? -1 : (seatRows?.sectionCodes.indexOf(want.section) ?? -1)
  const priceClass = want.priceClass === undefined ? -1 : units.classNames.indexOf(want.priceClass)
  if (seatRows === undefined || want.count < 1) return []
  if ((want.section !== undefined && section < 0) || (want.priceClass !== undefined && priceClass < 0))
    return []

  const best = new BestFew(Math.max(options.amongMax ?? options.groupsMax * 4, options.groupsMax))
  for (let row = 0; row < seatRows.first.length; row++) {
    if (section >= 0 && seatRows.section[row] !== section) continue
    if (rowCostMin(seatRows, row) > best.worstCost) continue
    searchRow({ units, seatRows, row, isFree, priceClass, count: want.count, best })
  }
  const groups = drawn(best.groups, options)
  return groups.map(({ first }) => Array.from({ length: want.count }, (_, seat) => first + seat))
}

/** Unit numbers of the pools that have `want.count` places left, in the order of the sale. */
export function bestPools(
  units: UnitTable,
  leftOf: (unitNo: number) => number,
  want: Omit<BestWanted, 'section'>,
  options: Pick<BestOptions, 'groupsMax'>,
): number[] {
  const priceClass = want.priceClass === undefined ? -1 : units.classNames.indexOf(want.priceClass)
  if (want.priceClass !== undefined && priceClass < 0) return []
  const found: number[] = []
  for (let unitNo = 0; unitNo < units.count && found.length < options.groupsMax; unitNo++) {
    if (priceClass >= 0 && units.priceClass[unitNo] !== priceClass) continue
    if (leftOf(unitNo) >= want.count) found.push(unitNo)
  }
  return found
}

interface RowSearch {
  readonly units: UnitTable
  readonly seatRows: SeatRows
  readonly row: number
  readonly isFree: (unitNo: number) => boolean
  /** −1 for any. */
  readonly priceClass: number
  readonly count: number
  readonly best: BestFew
}

/** Finds the runs of free seats in a row and offers their groups. A run ends where the price class changes. */
function searchRow(search: RowSearch): void {
  const { units, seatRows, row, isFree, priceClass } = search
  const first = seatRows.first[row] ?? 0
  const end = first + (seatRows.seats[row] ?? 0)
  let start = first
  for (let unitNo = first; unitNo < end; unitNo++) {
    const unitClass = units.priceClass[unitNo] ?? 0
    const fits = isFree(unitNo) && (priceClass < 0 || unitClass === priceClass)
    if (!fits || (unitNo > start && unitClass !== units.priceClass[unitNo - 1])) {
      if (unitNo > start) offerRun(search, start, unitNo)
      start = fits ? unitNo : unitNo + 1
    }
  }
  if (end > start) offerRun(search, start, end)
}

/** Offers the best group of a run, then the best ones of what is left on both sides of it, until none is good enough. */
function offerRun(search: RowSearch, start: number, end: number): void {
  const { count, best } = search
  const parts = [{ start, end }]
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (part.end - part.start < count) continue
    const group = bestOfPart(search, part, { start, end })
    if (!best.offer(group)) continue
    parts.push({ start: part.start, end: group.first }, { start: group.first + count, end: part.end })
  }
}

interface Span {
  readonly start: number
  readonly end: number
}

function bestOfPart(search: RowSearch, part: Span, run: Span): Group {
  const { count } = search
  let best: Group = { first: part.start, cost: Infinity }
  for (let first = part.start; first + count <= part.end; first++) {
    // A run is what is free now: only a gap of exactly one seat at its ends is a seat left alone.
    const alone = Number(first - run.start === 1) + Number(run.end - first - count === 1)
    const cost = groupCost(search.seatRows, search.row, { first, count, alone })
    if (cost < best.cost) best = { first, cost }
  }
  return best
}

function groupCost(
  rows: SeatRows,
  row: number,
  group: { first: number; count: number; alone: number },
): number {
  const halfSeatsOff = Math.abs(
    2 * (group.first - (rows.first[row] ?? 0)) + group.count - (rows.seats[row] ?? 0),
  )
  const band = (rows.row[row] ?? 0) + Math.floor(halfSeatsOff / 2 / seatsPerRowBack)
  const place = (rows.section[row] ?? 0) * bandsMax + band
  return (place * 3 + group.alone) * offsetsMax + halfSeatsOff
}

/** What the best group in the middle of this row would cost: no group of the row costs less. */
function rowCostMin(rows: SeatRows, row: number): number {
  return ((rows.section[row] ?? 0) * bandsMax + (rows.row[row] ?? 0)) * 3 * offsetsMax
}

/** Keeps the cheapest groups it was offered, cheapest first. */
class BestFew {
  readonly groups: Group[] = []
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  /** What a group must stay below to be kept. */
  get worstCost(): number {
    return this.groups.length < this.#max ? Infinity : (this.groups.at(-1)?.cost ?? Infinity)
  }

  /** Whether the group was kept. */
  offer(group: Group): boolean {
    if (group.cost >= this.worstCost) return false
    const after = this.groups.findIndex((other) => other.cost > group.cost)
    this.groups.splice(after < 0 ? this.groups.length : after, 0, group)
    if (this.groups.length > this.#max) this.groups.pop()
    return true
  }
}

/** Some of the groups in an order drawn by lot. */
function drawn(groups: readonly Group[], { groupsMax, random }: BestOptions): Group[] {
  const pool = [...groups]
  const chosen: Group[] = []
  while (chosen.length < groupsMax && pool.length > 0) {
    chosen.push(...pool.splice(Math.floor(random() * pool.length), 1))
  }
  return chosen
}
