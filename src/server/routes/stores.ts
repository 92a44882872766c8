import { z } from 'zod'
import type { Sql } from '../../db/postgres.ts'
import { findSales } from '../../domain/sales/sale-listing.ts'
import { salePage, saleQuery } from '../../domain/sales/sale-messages.ts'
import { viewOfSale } from '../../domain/sales/sale-view.ts'
import type { FreshReads } from '../../domain/fresh-reads.ts'
import type { StoreCatalogue } from '../../domain/stores/store-catalogue.ts'
import { changeStore } from '../../domain/stores/store-changing.ts'
import { storeErrors } from '../../domain/stores/store-errors.ts'
import {
  newStore,
  storeChanges,
  storePage,
  storeQuery,
  storeView,
} from '../../domain/stores/store-messages.ts'
import { findStores } from '../../domain/stores/store-finding.ts'
import { registerStore } from '../../domain/stores/store-registering.ts'
import { generalErrors } from '../../errors.ts'
import { encodedAnswer, EncodedAnswers, type EncodedAnswer } from '../encoded-answers.ts'
import { defineRoute, type Route } from '../route.ts'

export interface StoreRoutesParts {
  readonly sql: Sql
  /** For searches. */
  readonly searchSql: Sql
  readonly stores: StoreCatalogue
  /** Of searches among the stores. */
  readonly searches: FreshReads<EncodedAnswer>
  /** Of the sales of a store. */
  readonly salesOfStores: FreshReads<EncodedAnswer>
  /** A store changed: it is told of without what was known before. */
  readonly storeChanged: () => void
  /** Tells the other processes that a sale is changed; must not throw. */
  readonly announce: (saleId: string) => void
}

const tag = 'Stores'
const storeParams = z.object({ store: z.string().describe('Id of a store, such as `sto_…`.') })

export function storeRoutes(parts: StoreRoutesParts): Route[] {
  return [
    listStoresRoute(parts),
    getStoreRoute(parts),
    listSalesRoute(parts),
    registerStoreRoute(parts),
    changeStoreRoute(parts),
  ]
}

const notModified = { 304: { description: 'As you have it' } }

const listStoresRoute = ({ searchSql, searches }: StoreRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/stores',
    summary: 'Find stores',
    description:
      'By part of the name, by time, kind and place; those that have closed only when asked for. A cursor goes on in the same search. As it is now, give or take a second.',
    tag,
    auth: 'public',
    query: storeQuery,
    responses: { 200: { description: 'A page of stores', schema: storePage }, ...notModified },
    errors: [generalErrors.invalid_request],
    handle: ({ query }) =>
      searches.get(JSON.stringify(query), async () => encodedAnswer(await findStores(searchSql, query))),
  })

const getStoreRoute = ({ stores }: StoreRoutesParts) => {
  const answers = new EncodedAnswers()
  return defineRoute({
    method: 'GET',
    path: '/api/v1/stores/{store}',
    summary: 'One store',
    description: 'As it is now, give or take a second.',
    tag,
    auth: 'public',
    params: storeParams,
    responses: { 200: { description: 'The store', schema: storeView }, ...notModified },
    errors: [storeErrors.no_such_store],
    handle: async ({ params }) => answers.of(await stores.view(params.store)),
  })
}

const listSalesRoute = ({ sql, stores, salesOfStores }: StoreRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/stores/{store}/sales',
    summary: 'The sales of a store, the one that opens last first',
    description: 'As they are now, give or take a second.',
    tag,
    auth: 'public',
    params: storeParams,
    query: saleQuery.pick({ cursor: true, limit: true }),
    responses: { 200: { description: 'A page of sales', schema: salePage }, ...notModified },
    errors: [generalErrors.invalid_request, storeErrors.no_such_store],
    handle: ({ params: { store }, query }) =>
      salesOfStores.get(JSON.stringify({ store, ...query }), async () => {
        // Refuses what is not there.
        const { id } = await stores.view(store)
        const { sales, next } = await findSales(sql, { ...query, storeId: id })
        return encodedAnswer({ items: sales.map(viewOfSale), next })
      }),
  })

const registerStoreRoute = ({ sql, stores, storeChanged }: StoreRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/stores',
    summary: 'Register a store; its chat room opens with it',
    description: 'Pictures are sent afterwards, each by a call of its own.',
    tag,
    auth: 'organiser',
    body: newStore,
    // A description of 20,000 letters of three bytes each, and all its characters escaped.
    bodyBytesMax: 256 * 1024,
    responses: { 201: { description: 'The store', schema: storeView } },
    errors: [generalErrors.invalid_request],
    idempotent: true,
    async handle({ body, caller, newId }) {
      const { organiserId } = caller
      const { id } = await registerStore(sql, { storeId: newId('sto'), organiserId, description: body })
      storeChanged()
      return { status: 201, body: await stores.view(id), headers: { location: `/api/v1/stores/${id}` } }
    },
  })

const changeStoreRoute = ({ sql, stores, storeChanged, announce }: StoreRoutesParts) =>
  defineRoute({
    method: 'PATCH',
    path: '/api/v1/stores/{store}',
    summary: 'Change or close a store',
    description:
      'Takes effect at once. Closing ends the store with all of its sales and its chat room, for good; it closes by itself at `closesAt`.',
    tag,
    auth: 'organiser',
    params: storeParams,
    body: storeChanges,
    bodyBytesMax: 256 * 1024,
    responses: { 200: { description: 'The changed store', schema: storeView } },
    errors: [
      generalErrors.invalid_request,
      generalErrors.forbidden,
      storeErrors.no_such_store,
      storeErrors.store_closed,
    ],
    async handle({ params, body, caller }) {
      const { organiserId } = caller
      // Refuses what is no id, and what is not there, without a transaction.
      await stores.view(params.store)
      const { closedSales } = await changeStore(sql, { storeId: params.store, organiserId, changes: body })
      closedSales.forEach(announce)
      storeChanged()
      return { status: 200, body: await stores.view(params.store) }
    },
  })
