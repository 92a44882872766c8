import { z } from 'zod'
import type { Sql } from '../../db/postgres.ts'
import { saleFigures } from '../../domain/queue/desk-messages.ts'
import type { SaleCatalogue } from '../../domain/sales/sale-catalogue.ts'
import { saleErrors } from '../../domain/sales/sale-errors.ts'
import { findSales } from '../../domain/sales/sale-listing.ts'
import { salePage, saleQuery } from '../../domain/sales/sale-messages.ts'
import { saleStatuses } from '../../domain/sales/sale.ts'
import { viewOfSale } from '../../domain/sales/sale-view.ts'
import { listOwnStores } from '../../domain/stores/own-stores.ts'
import { ownStoreQuery, storePage } from '../../domain/stores/store-messages.ts'
import { generalErrors, Problem } from '../../errors.ts'
import type { SaleDesk } from '../../streams/sale-desk.ts'
import { defineRoute, defineStream, type Route, type Stream } from '../route.ts'

export interface DeskRoutesParts {
  readonly sql: Sql
  readonly catalogue: Pick<SaleCatalogue, 'sale'>
  readonly desk: SaleDesk
}

const tag = 'Desk'

export function deskRoutes({ sql }: DeskRoutesParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/organiser/sales',
      summary: 'My sales, drafts included, the one that opens last first',
      tag,
      auth: 'organiser',
      query: saleQuery.extend({ status: z.enum(saleStatuses).optional() }),
      responses: { 200: { description: 'A page of sales', schema: salePage } },
      errors: [generalErrors.invalid_request],
      async handle({ query, caller: { organiserId } }) {
        const { sales, next } = await findSales(sql, query, organiserId)
        return { status: 200, body: { items: sales.map(viewOfSale), next } }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/organiser/stores',
      summary: 'My stores, closed ones included, the one that opens last first',
      tag,
      auth: 'organiser',
      query: ownStoreQuery,
      responses: { 200: { description: 'A page of stores', schema: storePage } },
      errors: [generalErrors.invalid_request],
      async handle({ query, caller: { organiserId } }) {
        return { status: 200, body: await listOwnStores(sql, { organiserId, ...query }) }
      },
    }),
  ]
}

/** The figures of a running sale. */
export function deskStream({ catalogue, desk }: DeskRoutesParts): Stream {
  return defineStream({
    path: '/api/v1/sales/{sale}/desk/stream',
    summary: 'The figures of my sale, once a second',
    tag,
    auth: 'organiser',
    params: z.object({ sale: z.string().describe('Id of a sale, such as `sal_…`.') }),
    events: { figures: { description: 'How the sale runs', schema: saleFigures } },
    errors: [saleErrors.no_such_sale, generalErrors.forbidden],
    async open({ params: { sale: saleId }, caller }, stream) {
      const sale = await catalogue.sale(saleId)
      if (sale.organiserId !== caller.organiserId) throw new Problem(generalErrors.forbidden)
      const figures = desk.figures(saleId).subscribe((data) => stream.send({ event: 'figures', data }))
      stream.onClose(() => figures.unsubscribe())
      stream.comment('figures follow')
    },
  })
}
