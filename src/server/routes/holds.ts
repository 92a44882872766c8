import { z } from 'zod'
import type { PurchaseTokens } from '../../domain/accounts/purchase-token.ts'
import { tokenErrors } from '../../domain/accounts/token-errors.ts'
import { orderErrors } from '../../domain/orders/order-errors.ts'
import { orderAnswer } from '../../domain/orders/order-messages.ts'
import { orderIdOfHold, type OrderPlacing } from '../../domain/orders/order-placing.ts'
import { mustNotBeClosed, saleStateErrors } from '../../domain/sale-state/sale-failures.ts'
import { saleErrors } from '../../domain/sales/sale-errors.ts'
import type { SaleCatalogue } from '../../domain/sales/sale-catalogue.ts'
import { holdIdFor, saleIdOfHold, type HoldTaking } from '../../domain/units/hold-taking.ts'
import { quantities, type Hold } from '../../domain/units/hold.ts'
import type { HoldStore } from '../../domain/units/hold-store.ts'
import { unitErrors } from '../../domain/units/unit-errors.ts'
import { holdBody, holdList, holdView, type HoldView } from '../../domain/units/unit-messages.ts'
import type { UnitTable } from '../../domain/sales/unit-table.ts'
import { Problem } from '../../errors.ts'
import { defineRoute, type Route } from '../route.ts'

export interface HoldRoutesParts {
  readonly taking: HoldTaking
  readonly holds: HoldStore
  readonly placing: OrderPlacing
  readonly catalogue: Pick<SaleCatalogue, 'sale' | 'units'>
  readonly purchaseTokens: Pick<PurchaseTokens, 'verify'>
}

const params = z.object({ sale: z.string().describe('Id of a sale, such as `sal_…`.') })
const tokenHeaders = z.object({
  'purchase-token': z.string().max(4096).describe('The token that came with `admitted`.'),
})
/** Of an order that could not be written at once. */
const savingText =
  'The order is `saving`: its places are kept, and it is written as soon as that can be done. Follow it with GET or on the channel `me`.'

const holdId = z.string().max(100).describe('Id of a hold, such as `hol_…`.')

const takingErrors = [
  saleErrors.no_such_sale,
  tokenErrors.purchase_token_invalid,
  tokenErrors.purchase_token_expired,
  tokenErrors.purchase_token_foreign,
  saleStateErrors.admission_over,
  saleStateErrors.unit_taken,
  saleStateErrors.limit_reached,
  saleStateErrors.leaves_single_seat,
  saleStateErrors.sale_closed,
  saleStateErrors.restoring,
  unitErrors.no_such_unit,
  unitErrors.beyond_capacity,
  unitErrors.none_together,
  unitErrors.one_per_unit,
  unitErrors.already_booked,
  unitErrors.already_held,
  unitErrors.store_limit_reached,
  unitErrors.fully_booked,
]

export function holdRoutes(parts: HoldRoutesParts): Route[] {
  return [
    takeRoute(parts),
    listRoute(parts),
    extendRoute(parts),
    releaseRoute(parts),
    orderRoute(parts),
    bookRoute(parts),
  ]
}

const takeRoute = (parts: HoldRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/sales/{sale}/holds',
    summary: 'Hold units for some minutes: all that is asked for, or nothing',
    description: 'Name units, or let the server choose the best that are together.',
    tag: 'Holds',
    auth: 'account',
    params,
    headers: tokenHeaders,
    body: holdBody,
    responses: { 201: { description: 'The hold', schema: holdView } },
    errors: takingErrors,
    idempotent: true,
    async handle({ params: { sale }, headers, body, caller: { accountId }, newId }) {
      const { hold, units } = await take(parts, sale, accountId, headers['purchase-token'], body, {
        id: newId('hol'),
      })
      return { status: 201, body: viewOf(hold, units) }
    },
  })

const listRoute = ({ holds, catalogue }: HoldRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/sales/{sale}/holds',
    summary: 'What I hold and have not ordered',
    tag: 'Holds',
    auth: 'account',
    params,
    responses: { 200: { description: 'The holds whose time is not over', schema: holdList } },
    errors: [saleErrors.no_such_sale, saleStateErrors.sale_closed, saleStateErrors.restoring],
    async handle({ params: { sale }, caller: { accountId } }) {
      mustNotBeClosed(await catalogue.sale(sale))
      const [units, mine] = await Promise.all([catalogue.units(sale), holds.listOf(sale, accountId)])
      return { status: 200, body: { items: mine.map((hold) => viewOf(hold, units).hold) } }
    },
  })

const extendRoute = ({ holds, catalogue }: HoldRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/holds/{hold}/extend',
    summary: 'Give a hold five minutes more, once',
    tag: 'Holds',
    auth: 'account',
    params: z.object({ hold: holdId }),
    responses: { 200: { description: 'The hold with its new end', schema: holdView } },
    errors: [saleStateErrors.hold_gone, saleStateErrors.already_extended, saleStateErrors.restoring],
    idempotent: true,
    async handle({ params: { hold }, caller: { accountId } }) {
      const sale = await catalogue.sale(saleIdOfHold(hold)).catch(goneWithItsSale)
      if (sale.status === 'closed') throw new Problem(saleStateErrors.hold_gone)
      const extended = await holds.extend(sale.id, { holdId: hold, accountId })
      return { status: 200, body: viewOf(extended, await catalogue.units(sale.id)) }
    },
  })

const releaseRoute = ({ holds, catalogue }: HoldRoutesParts) =>
  defineRoute({
    method: 'DELETE',
    path: '/api/v1/holds/{hold}',
    summary: 'Give a hold back; its units are free at once',
    tag: 'Holds',
    auth: 'account',
    params: z.object({ hold: holdId }),
    responses: { 204: { description: 'Released' } },
    errors: [saleStateErrors.hold_gone, saleStateErrors.restoring],
    async handle({ params: { hold }, caller: { accountId } }) {
      const sale = await catalogue.sale(saleIdOfHold(hold)).catch(goneWithItsSale)
      if (sale.status === 'closed') throw new Problem(saleStateErrors.hold_gone)
      await holds.release(sale.id, { holdId: hold, accountId })
      return { status: 204 }
    },
  })

const orderRoute = ({ placing }: HoldRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/orders',
    summary: 'Order what is held',
    description:
      'The hold ends with its order. An order to be paid is `pending` until the provider has answered: follow it with GET or on the channel `me`. Asking again for the same hold answers with the same order.',
    tag: 'Orders',
    auth: 'account',
    body: z
      .strictObject({
        hold: holdId,
        payment: z.strictObject({ method: z.string().min(1).max(64) }).optional(),
      })
      .meta({ id: 'NewOrder' }),
    responses: {
      201: { description: 'The order', schema: orderAnswer },
      202: { description: savingText, schema: orderAnswer },
      200: { description: 'The order that was made of this hold before', schema: orderAnswer },
    },
    errors: [
      saleStateErrors.hold_gone,
      saleStateErrors.unit_taken,
      saleStateErrors.sale_closed,
      saleStateErrors.restoring,
      unitErrors.already_booked,
      unitErrors.store_limit_reached,
      orderErrors.payment_method_unknown,
    ],
    async handle({ body, caller: { accountId } }) {
      const { order, created } = await placing
        .place({ holdId: body.hold, accountId, method: body.payment?.method })
        .catch(goneWithItsSale)
      return { status: order.status === 'saving' ? 202 : created ? 201 : 200, body: { order } }
    },
  })

const bookRoute = (parts: HoldRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/sales/{sale}/bookings',
    summary: 'Hold and book in one call, where nothing is to be paid',
    tag: 'Orders',
    auth: 'account',
    params,
    headers: tokenHeaders,
    body: holdBody,
    responses: {
      201: { description: 'The booked order', schema: orderAnswer },
      202: { description: savingText, schema: orderAnswer },
    },
    errors: [...takingErrors, saleStateErrors.hold_gone, orderErrors.payment_needed],
    idempotent: true,
    async handle({ params: { sale }, headers, body, caller: { accountId }, newId, isRepeatable }) {
      if (!(await parts.catalogue.units(sale)).free) throw new Problem(orderErrors.payment_needed)
      const id = newId('hol')
      const asked = { holdId: holdIdFor(sale, id), accountId }
      // The answer to an earlier try may have been lost: its hold is sold by now and must not be taken once more.
      const earlier = isRepeatable ? await parts.placing.earlier(asked) : undefined
      if (earlier !== undefined) return { status: 201, body: { order: earlier } }
      const ordered = { id, orderId: orderIdOfHold(asked.holdId) }
      const { hold } = await take(parts, sale, accountId, headers['purchase-token'], body, ordered)
      const { order } = await parts.placing.place(asked, hold)
      return { status: order.status === 'saving' ? 202 : 201, body: { order } }
    },
  })

async function take(
  { taking, catalogue, purchaseTokens }: HoldRoutesParts,
  saleId: string,
  accountId: string,
  token: string,
  request: z.infer<typeof holdBody>,
  { id, ...ordered }: { readonly id: string; readonly orderId?: string },
): Promise<{ hold: Hold; units: UnitTable }> {
  const [sale, units] = await Promise.all([catalogue.sale(saleId), catalogue.units(saleId)])
  mustNotBeClosed(sale)
  const { jti } = await purchaseTokens.verify(token, { saleId, accountId })
  const holder = { accountId, jti }
  const asked = { sale, holdId: holdIdFor(saleId, id), holder, request, ...ordered }
  return { hold: await taking.take(asked, units), units }
}

function viewOf(hold: Hold, units: UnitTable): HoldView {
  return {
    hold: {
      id: hold.id,
      units: quantities(hold.places).map(({ unitNo, quantity }) => ({
        unit: units.codes[unitNo] ?? '',
        quantity,
      })),
      expiresAt: new Date(hold.expiresAtMs).toISOString(),
      extendable: !hold.isExtended && hold.orderId === undefined,
    },
  }
}

function goneWithItsSale(error: unknown): never {
  throw error instanceof Problem && error.code === saleErrors.no_such_sale.code
    ? new Problem(saleStateErrors.hold_gone)
    : error
}
