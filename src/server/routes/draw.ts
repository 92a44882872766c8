import { z } from 'zod'
import type { Sql } from '../../db/postgres.ts'
import { drawErrors } from '../../domain/queue/draw-errors.ts'
import type { DrawEntering } from '../../domain/queue/draw-entering.ts'
import { drawEntriesPage, drawEntriesQuery, drawView } from '../../domain/queue/draw-messages.ts'
import { entryIdsAfter, findDraw, type Draw } from '../../domain/queue/draw-store.ts'
import type { SaleCatalogue } from '../../domain/sales/sale-catalogue.ts'
import { saleErrors } from '../../domain/sales/sale-errors.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { defineRoute, type Route } from '../route.ts'

export interface DrawRoutesParts {
  readonly sql: Sql
  readonly catalogue: Pick<SaleCatalogue, 'sale'>
  readonly entering: Pick<DrawEntering, 'count'>
}

const tag = 'Queue'
const path = '/api/v1/sales/{sale}/draw'
const params = z.object({ sale: z.string().describe('Id of a sale, such as `sal_…`.') })
/** What was drawn never changes. */
const forGood = { 'cache-control': 'public, max-age=31536000, immutable' }

export function drawRoutes(parts: DrawRoutesParts): Route[] {
  return [drawRoute(parts), entriesRoute(parts)]
}

const drawRoute = (parts: DrawRoutesParts) =>
  defineRoute({
    method: 'GET',
    path,
    summary: 'The draw of a lottery: what the server is bound to, and what came of it',
    description:
      'Before the opening the commitment, SHA-256 of a seed; at the opening the digest of all entries, then the seed. The line is ' +
      'in the order of HMAC-SHA256(seed, entry id). That the order follows from commitment and entries can be recomputed. Note ' +
      'the commitment when you enter: that it is older than the entries, and that nobody who knew the seed entered to suit ' +
      'it, cannot be seen afterwards.',
    tag,
    auth: 'public',
    params,
    responses: { 200: { description: 'The draw', schema: drawView } },
    errors: [saleErrors.no_such_sale, drawErrors.no_draw],
    async handle({ params: { sale } }) {
      const draw = await mustFind(parts, sale)
      const { commitment, closed, drawn, seed } = draw
      if (closed === undefined || drawn === undefined) {
        return {
          status: 200,
          body: { state: 'entering', commitment, entrants: await parts.entering.count(sale) },
        }
      }
      const drawnAt = new Date(drawn.atMs).toISOString()
      return { status: 200, body: { state: 'drawn', commitment, ...closed, seed, drawnAt }, headers: forGood }
    },
  })

const entriesRoute = (parts: DrawRoutesParts) =>
  defineRoute({
    method: 'GET',
    path: `${path}/entries`,
    summary: 'All entries of a draw that has taken place, sorted',
    tag,
    auth: 'public',
    params,
    query: drawEntriesQuery,
    responses: { 200: { description: 'A page of entry ids', schema: drawEntriesPage } },
    errors: [
      generalErrors.invalid_request,
      saleErrors.no_such_sale,
      drawErrors.no_draw,
      drawErrors.not_drawn_yet,
    ],
    async handle({ params: { sale }, query: { cursor = '', limit } }) {
      const { drawn } = await mustFind(parts, sale)
      if (drawn === undefined) throw new Problem(drawErrors.not_drawn_yet)
      const items = await entryIdsAfter(parts.sql, { saleId: sale, after: cursor, limit })
      const next = items.length < limit ? null : (items.at(-1) ?? null)
      return { status: 200, body: { items, next }, headers: forGood }
    },
  })

async function mustFind({ sql, catalogue }: DrawRoutesParts, saleId: string): Promise<Draw> {
  const sale = await catalogue.sale(saleId)
  if (sale.status === 'draft') throw new Problem(saleErrors.no_such_sale)
  const draw = sale.queue.mode === 'lottery' ? await findDraw(sql, saleId) : undefined
  if (draw === undefined) throw new Problem(drawErrors.no_draw)
  return draw
}
