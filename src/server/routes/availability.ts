import { z } from 'zod'
import { mustNotBeClosed, saleStateErrors } from '../../domain/sale-state/sale-failures.ts'
import type { SaleState } from '../../domain/sale-state/sale-state.ts'
import type { SaleCatalogue } from '../../domain/sales/sale-catalogue.ts'
import { saleErrors } from '../../domain/sales/sale-errors.ts'
import type { UnitTable } from '../../domain/sales/unit-table.ts'
import { unitErrors } from '../../domain/units/unit-errors.ts'
import {
  availabilityDelta,
  availabilitySnapshot,
  unitFree,
  unitView,
  watchedUnits,
} from '../../domain/units/unit-messages.ts'
import { readUnit } from '../../domain/units/unit-reading.ts'
import { Problem } from '../../errors.ts'
import type { MapView } from '../../streams/map-view.ts'
import type { MapViews } from '../../streams/map-views.ts'
import type { Caller } from '../caller.ts'
import { defineChannel, type Channel } from '../channel.ts'
import { defineRoute, defineStream, type Route, type Stream } from '../route.ts'

export interface AvailabilityRoutesParts {
  readonly views: MapViews
  readonly state: SaleState
  readonly catalogue: Pick<SaleCatalogue, 'sale' | 'units'>
}

const tag = 'Availability'
const path = '/api/v1/sales/{sale}/availability'
const params = z.object({ sale: z.string().describe('Id of a sale, such as `sal_…`.') })
const errors = [saleErrors.no_such_sale, saleStateErrors.sale_closed, saleStateErrors.restoring]

/** Where the frames of a sale's map are published to a group of its viewers. */
export function mapTopic(saleId: string, group: number): string {
  return `units:${saleId}/${group}`
}

export function availabilityRoutes(parts: AvailabilityRoutesParts): Route[] {
  return [snapshotRoute(parts), unitRoute(parts)]
}

const snapshotRoute = (parts: AvailabilityRoutesParts) =>
  defineRoute({
    method: 'GET',
    path,
    summary: 'What is free, as it was told to all viewers last',
    description: 'Whoever wants to see it move takes the stream, or the channel `units:<sale>`.',
    tag,
    auth: 'public',
    params,
    responses: {
      200: { description: 'All units at one position', schema: availabilitySnapshot },
      304: { description: 'As you have it' },
    },
    errors,
    async handle({ params: { sale }, caller }) {
      await mustBeShown(parts, sale, caller)
      const { view, release } = await parts.views.open(sale)
      const { id, data } = view.current()
      release()
      return { status: 200, body: data, headers: { etag: `"${id}"`, 'cache-control': 'no-cache' } }
    },
  })

const unitRoute = ({ state, catalogue }: AvailabilityRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/sales/{sale}/units/{unit}',
    summary: 'One unit now; of a held seat also until when',
    tag,
    auth: 'public',
    params: params.extend({ unit: z.string().max(64).describe('Code of a unit.') }),
    responses: { 200: { description: 'The unit', schema: unitView } },
    errors: [...errors, unitErrors.no_such_unit],
    async handle({ params: { sale, unit }, caller }) {
      await mustBeShown({ catalogue }, sale, caller)
      const units = await catalogue.units(sale)
      const [unitNo = 0] = mustKnow(units, [unit])
      return { status: 200, body: await readUnit(state, { saleId: sale, unitNo, units }) }
    },
  })

const watchQuery = z.object({
  watch: z
    .string()
    .max(1400)
    .regex(/^([^,]*,){0,19}[^,]*$/, 'must name 20 units at the most')
    .optional()
    .describe('Codes of units to be told of, separated by commas; 20 at the most.'),
})

/** The map as server-sent events. */
export function availabilityStream(parts: AvailabilityRoutesParts): Stream {
  return defineStream({
    path: `${path}/stream`,
    summary: 'What is free, as it changes',
    description:
      'Begins with a snapshot, or after Last-Event-ID with what was missed. Apply a delta if `prev` is where you are, else connect anew.',
    tag,
    auth: 'public',
    params,
    query: watchQuery,
    events: {
      snapshot: { description: 'All units', schema: availabilitySnapshot },
      delta: { description: 'What has changed since the event before', schema: availabilityDelta },
      free: { description: 'A watched unit has places again', schema: unitFree },
    },
    errors: [...errors, unitErrors.no_such_unit],
    async open({ params: { sale }, query, caller }, stream) {
      await mustBeShown(parts, sale, caller)
      const units = await parts.catalogue.units(sale)
      const watched = mustKnow(units, (query.watch ?? '').split(',').filter(Boolean))
      const { view, release } = await parts.views.open(sale)
      stream.onClose(release)
      const { event, group, leave } = view.enter(stream.lastEventId)
      stream.onClose(leave)
      stream.send({ event: event.type, id: event.id, data: event.data })
      stream.join(mapTopic(sale, group))
      stream.onClose(
        watch(view, {
          units,
          watched,
          tell: (unit) => stream.send({ event: 'free', data: { unit } }),
        }),
      )
    },
  })
}

/** The map over a WebSocket. */
export function unitsChannel(parts: AvailabilityRoutesParts): Channel {
  const watching = new WeakMap<object, (watched: readonly number[]) => void>()
  return defineChannel({
    prefix: 'units',
    about: 'sale',
    summary:
      'What is free in a sale, as it changes. Apply a delta if `prev` is where you are, else subscribe again with `since`. Publish units to be told when one of them is free.',
    auth: 'public',
    events: { snapshot: availabilitySnapshot, delta: availabilityDelta, free: unitFree },
    publishes: watchedUnits,
    async subscribe(context) {
      const { name: sale, since, send, join, caller } = context
      await mustBeShown(parts, sale, caller)
      const units = await parts.catalogue.units(sale)
      const { view, release } = await parts.views.open(sale)
      const { event, group, leave } = view.enter(since)
      send(event.type, event.data, event.id)
      join(mapTopic(sale, group))
      let unwatch = (): void => {}
      watching.set(context, (watched) => {
        unwatch()
        unwatch = watch(view, { units, watched, tell: (unit) => send('free', { unit }) })
      })
      return () => {
        watching.delete(context)
        unwatch()
        leave()
        release()
      }
    },
    async publish({ name, data, subscription }) {
      const watched = mustKnow(await parts.catalogue.units(name), data.watch)
      const begin = subscription && watching.get(subscription)
      if (begin === undefined) throw new Problem(unitErrors.not_watching)
      begin(watched)
    },
  })
}

/** Tells of the watched units: at once of those that are free, of the others when they are. Returns how to end it. */
function watch(
  view: MapView,
  asked: {
    readonly units: UnitTable
    readonly watched: readonly number[]
    readonly tell: (unit: string) => void
  },
): () => void {
  const { units, watched, tell } = asked
  if (watched.length === 0) return () => {}
  const tellUnit = (unitNo: number): void => tell(units.codes[unitNo] ?? '')
  for (const unitNo of watched) if (view.isFree(unitNo)) tellUnit(unitNo)
  const subscription = view.freed$.subscribe((freed) => {
    for (const unitNo of freed) if (watched.includes(unitNo)) tellUnit(unitNo)
  })
  return () => subscription.unsubscribe()
}

function mustKnow(units: UnitTable, codes: readonly string[]): number[] {
  const numbers = codes.map((code) => units.unitNoOf(code))
  const unknown = codes.filter((_, index) => numbers[index] === undefined)
  if (unknown.length > 0) throw new Problem(unitErrors.no_such_unit, { extra: { units: unknown } })
  return numbers.filter((unitNo) => unitNo !== undefined)
}

/** Nobody but its organiser learns that there is a draft; of a sale that is over nothing is free. */
async function mustBeShown(
  { catalogue }: Pick<AvailabilityRoutesParts, 'catalogue'>,
  saleId: string,
  caller: Caller | undefined,
): Promise<void> {
  const sale = await catalogue.sale(saleId)
  const isTheirs = caller?.kind === 'organiser' && caller.organiserId === sale.organiserId
  if (sale.status === 'draft' && !isTheirs) throw new Problem(saleErrors.no_such_sale)
  mustNotBeClosed(sale)
}
