import { z } from 'zod'
import type { Sql } from '../../db/postgres.ts'
import { changeSale } from '../../domain/sales/sale-changing.ts'
import type { SaleCatalogue } from '../../domain/sales/sale-catalogue.ts'
import { createSale } from '../../domain/sales/sale-creating.ts'
import { saleErrors } from '../../domain/sales/sale-errors.ts'
import { saleLayout } from '../../domain/sales/sale-layout-messages.ts'
import { findSales } from '../../domain/sales/sale-listing.ts'
import { newSale, saleChanges, salePage, saleQuery, saleView } from '../../domain/sales/sale-messages.ts'
import type { Sale } from '../../domain/sales/sale.ts'
import { viewOfSale } from '../../domain/sales/sale-view.ts'
import { generalErrors, Problem } from '../../errors.ts'
import type { Caller } from '../caller.ts'
import { defineRoute, type Route } from '../route.ts'

export interface SaleRoutesParts {
  readonly sql: Sql
  readonly catalogue: SaleCatalogue
  /** Used where an organiser names no time of their own. */
  readonly payBySecondsDefault: number
  /** Tells the other processes that a sale is new or changed; must not throw. */
  readonly announce: (saleId: string) => void
}

const tag = 'Sales'
const saleParams = z.object({ sale: z.string().describe('Id of a sale, such as `sal_…`.') })

export function saleRoutes(parts: SaleRoutesParts): Route[] {
  return [
    listSalesRoute(parts),
    getSaleRoute(parts),
    createSaleRoute(parts),
    changeSaleRoute(parts),
    layoutRoute(parts),
  ]
}

const listSalesRoute = ({ sql }: SaleRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/sales',
    summary: 'List sales, the one that opens last first',
    tag,
    auth: 'public',
    query: saleQuery,
    responses: { 200: { description: 'A page of sales', schema: salePage } },
    errors: [generalErrors.invalid_request],
    async handle({ query }) {
      const { sales, next } = await findSales(sql, query)
      return { status: 200, body: { items: sales.map(viewOfSale), next } }
    },
  })

const getSaleRoute = ({ catalogue }: SaleRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/sales/{sale}',
    summary: 'One sale',
    description: 'As it is now, give or take a second.',
    tag,
    auth: 'public',
    params: saleParams,
    responses: { 200: { description: 'The sale', schema: saleView } },
    errors: [saleErrors.no_such_sale],
    async handle({ params, caller }) {
      return { status: 200, body: viewOfSale(mustBeShown(await catalogue.sale(params.sale), caller)) }
    },
  })

const createSaleRoute = ({ sql, payBySecondsDefault, announce }: SaleRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/sales',
    summary: 'Create a sale with all its units',
    description: 'It is open at once when `opensAt` lies in the past, and scheduled otherwise.',
    tag,
    auth: 'organiser',
    body: newSale,
    // A hall with a list of seats for each of its rows.
    bodyBytesMax: 256 * 1024,
    responses: { 201: { description: 'The sale', schema: saleView } },
    errors: [generalErrors.invalid_request],
    idempotent: true,
    async handle({ body, caller, newId }) {
      const { organiserId } = caller
      const sale = await createSale(
        { sql, payBySecondsDefault, announce },
        { saleId: newId('sal'), organiserId, description: body },
      )
      return { status: 201, body: viewOfSale(sale), headers: { location: `/api/v1/sales/${sale.id}` } }
    },
  })

const changeSaleRoute = ({ sql, catalogue, announce }: SaleRoutesParts) =>
  defineRoute({
    method: 'PATCH',
    path: '/api/v1/sales/{sale}',
    summary: 'Change, pause, resume or close a sale',
    description:
      'Takes effect at once. The same change again changes nothing. Resuming a sale whose places are all booked makes it sold out.',
    tag,
    auth: 'organiser',
    params: saleParams,
    body: saleChanges,
    responses: { 200: { description: 'The changed sale', schema: saleView } },
    errors: [
      generalErrors.invalid_request,
      generalErrors.forbidden,
      saleErrors.no_such_sale,
      saleErrors.sale_change_not_allowed,
    ],
    async handle({ params, body, caller }) {
      // Refuses what is no id, and what is not there, without a transaction.
      await catalogue.sale(params.sale)
      const { organiserId } = caller
      const sale = await changeSale({ sql, announce }, { saleId: params.sale, organiserId, changes: body })
      catalogue.forget(sale.id)
      return { status: 200, body: viewOfSale(sale) }
    },
  })

const layoutRoute = ({ catalogue }: SaleRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/sales/{sale}/layout',
    summary: 'What a page draws: the seats of the hall, or the slots',
    description:
      'Seat k (from 0) of a row is unit `first + k`, stands at `(x + k·dx, y + k·dy)` in seat widths with the stage at small y, ' +
      'and has the code `<section>-<row>-<k + 1>`, both numbers at least two digits wide. The slot of date d and hour h ' +
      '(both from 0) is unit `d · hours.length + h` and has the code `<date>T<hour>`. A layout never changes.',
    tag,
    auth: 'public',
    params: saleParams,
    responses: {
      200: { description: 'The layout', schema: saleLayout },
      304: { description: 'As you have it' },
    },
    errors: [saleErrors.no_such_sale],
    async handle({ params, caller }) {
      mustBeShown(await catalogue.sale(params.sale), caller)
      const { json, etag } = await catalogue.layout(params.sale)
      const headers = { etag, 'cache-control': 'public, max-age=31536000, immutable' }
      return { status: 200, body: json, contentType: 'application/json; charset=utf-8', headers }
    },
  })

/** Nobody but its organiser learns that there is a draft. */
function mustBeShown(sale: Sale, caller: Caller | undefined): Sale {
  const isTheirs = caller?.kind === 'organiser' && caller.organiserId === sale.organiserId
  if (sale.status === 'draft' && !isTheirs) throw new Problem(saleErrors.no_such_sale)
  return sale
}
