import type { Sql } from '../../db/postgres.ts'
import { cancelOrder } from '../../domain/orders/order-cancelling.ts'
import { orderErrors } from '../../domain/orders/order-errors.ts'
import {
  isOrderId,
  orderAnswer,
  orderPage,
  orderParams,
  orderQuery,
  type OrderMessage,
} from '../../domain/orders/order-messages.ts'
import type { Hurry } from '../../domain/orders/order-outbox.ts'
import { hideOrder, listOrders, mustFindOrder } from '../../domain/orders/order-store.ts'
import type { SavingNotes } from '../../domain/orders/saving-notes.ts'
import { generalErrors } from '../../errors.ts'
import { defineRoute, type Route } from '../route.ts'

export interface OrderRoutesParts {
  readonly sql: Sql
  readonly hurry: Hurry
  readonly notes: Pick<SavingNotes, 'find'>
}

const tag = 'Orders'

export function orderRoutes(parts: OrderRoutesParts): Route[] {
  return [listRoute(parts), getRoute(parts), cancelRoute(parts), hideRoute(parts)]
}

const listRoute = ({ sql }: OrderRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/orders',
    summary: 'My orders, newest first',
    tag,
    auth: 'account',
    query: orderQuery,
    responses: { 200: { description: 'A page of orders', schema: orderPage } },
    errors: [generalErrors.invalid_request],
    async handle({ caller: { accountId }, query }) {
      return { status: 200, body: await listOrders(sql, { accountId, ...query }) }
    },
  })

const getRoute = ({ sql, notes }: OrderRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/orders/{order}',
    summary: 'One of my orders',
    tag,
    auth: 'account',
    params: orderParams,
    responses: { 200: { description: 'The order', schema: orderAnswer } },
    errors: [orderErrors.no_such_order],
    async handle({ caller: { accountId }, params }) {
      return {
        status: 200,
        body: { order: await findAlsoUnsaved({ sql, notes }, { orderId: params.order, accountId }) },
      }
    },
  })

/** The order as PostgreSQL has it; of one that it has not, or cannot tell of, what its caller was told last. */
async function findAlsoUnsaved(
  { sql, notes }: Pick<OrderRoutesParts, 'sql' | 'notes'>,
  asked: { orderId: string; accountId: string },
): Promise<OrderMessage> {
  try {
    return await mustFindOrder(sql, asked)
  } catch (error) {
    const unsaved = isOrderId(asked.orderId) ? await notes.find(asked) : undefined
    if (unsaved === undefined) throw error
    return unsaved
  }
}

const cancelRoute = ({ sql, hurry }: OrderRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/orders/{order}/cancel',
    summary: 'Cancel an order, with its money back',
    description:
      'A pending order ends at once. A booked one ends as long as none of its tickets was used; what was paid goes back the way it came, see `refund`. Cancelling twice answers the same.',
    tag,
    auth: 'account',
    params: orderParams,
    responses: { 200: { description: 'The cancelled order', schema: orderAnswer } },
    errors: [
      orderErrors.no_such_order,
      orderErrors.payment_under_way,
      orderErrors.order_ended,
      orderErrors.order_checked_in,
    ],
    async handle({ caller: { accountId }, params }) {
      const which = { orderId: params.order, accountId }
      await cancelOrder(sql, which, hurry)
      return { status: 200, body: { order: await mustFindOrder(sql, which) } }
    },
  })

const hideRoute = ({ sql }: OrderRoutesParts) =>
  defineRoute({
    method: 'DELETE',
    path: '/api/v1/orders/{order}',
    summary: 'Take an ended order out of my history',
    tag,
    auth: 'account',
    params: orderParams,
    responses: { 204: { description: 'It is listed no longer' } },
    errors: [orderErrors.no_such_order, orderErrors.order_not_ended],
    async handle({ caller: { accountId }, params }) {
      await hideOrder(sql, { orderId: params.order, accountId })
      return { status: 204 }
    },
  })
