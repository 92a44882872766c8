import { z } from 'zod'
import type { Sql } from '../../db/postgres.ts'
import type { SigningKeys } from '../../domain/accounts/signing-keys.ts'
import { saleErrors } from '../../domain/sales/sale-errors.ts'
import { isSaleId } from '../../domain/sales/sale-messages.ts'
import { findSale } from '../../domain/sales/sale-store.ts'
import { checkIn } from '../../domain/tickets/checking-in.ts'
import { ticketErrors } from '../../domain/tickets/ticket-errors.ts'
import { ticketPng, ticketSvg } from '../../domain/tickets/ticket-image.ts'
import {
  bookingParams,
  checkinAnswer,
  checkinRequest,
  revokedPage,
  revokedQuery,
  ticketMessage,
} from '../../domain/tickets/ticket-messages.ts'
import { listRevoked, mustFindTicket } from '../../domain/tickets/ticket-store.ts'
import { TicketCodes } from '../../domain/tickets/ticket.ts'
import { generalErrors, Problem } from '../../errors.ts'
import { preferredType } from '../accepted-type.ts'
import { defineRoute, type Reply, type Route } from '../route.ts'

export interface TicketRoutesParts {
  readonly sql: Sql
  readonly keys: SigningKeys
}

const tag = 'Tickets'
const offered = ['application/json', 'image/svg+xml', 'image/png'] as const

export function ticketRoutes({ sql, keys }: TicketRoutesParts): Route[] {
  const codes = new TicketCodes(keys)
  return [ticketRoute(sql, codes), checkinRoute(sql, codes), revokedRoute(sql)]
}

const ticketRoute = (sql: Sql, codes: TicketCodes) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/bookings/{booking}/ticket',
    summary: 'The ticket of a booking, with its QR code',
    description:
      '`Accept` chooses: `image/svg+xml` and `image/png` give the QR code alone, everything else the ticket as JSON.',
    tag,
    auth: 'account',
    params: bookingParams,
    headers: z.object({ accept: z.string().optional() }),
    responses: { 200: { description: 'The ticket', schema: ticketMessage } },
    errors: [ticketErrors.no_such_booking, ticketErrors.not_booked],
    async handle({ caller: { accountId }, params, headers }): Promise<Reply> {
      const ticket = await mustFindTicket(sql, { bookingId: params.booking, accountId })
      const code = await codes.sign(ticket)
      const contentType = preferredType(headers.accept, offered)
      const common = { status: 200, headers: { vary: 'accept' } }
      switch (contentType) {
        case 'image/png':
          return { ...common, contentType, body: await ticketPng(code) }
        case 'image/svg+xml':
          return { ...common, contentType, body: await ticketSvg(code) }
        case 'application/json':
          return { ...common, body: { ...ticket, code, svg: await ticketSvg(code) } }
      }
    },
  })

const checkinRoute = (sql: Sql, codes: TicketCodes) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/checkin',
    summary: 'Let the bearer of a ticket in, once',
    tag,
    auth: 'organiser',
    body: checkinRequest,
    responses: { 200: { description: 'The booking, now used', schema: checkinAnswer } },
    errors: [
      ticketErrors.ticket_invalid,
      ticketErrors.no_such_booking,
      ticketErrors.already_checked_in,
      ticketErrors.ticket_revoked,
    ],
    idempotent: true,
    async handle({ caller: { organiserId }, body }) {
      const booking = await checkIn({ sql, codes }, { code: body.code, organiserId })
      return { status: 200, body: { booking } }
    },
  })

const revokedRoute = (sql: Sql) =>
  defineRoute({
    method: 'GET',
    path: '/api/v1/sales/{sale}/revoked',
    summary: 'The revoked tickets of a sale, for scanners without a network',
    description:
      'The earliest first. A scanner refuses a ticket whose booking stands here with the same or a later issue; to be up to date it reads the whole list again.',
    tag,
    auth: 'organiser',
    params: z.object({ sale: z.string().describe('Id of a sale, `sal_…`.') }),
    query: revokedQuery,
    responses: { 200: { description: 'A page of revoked tickets', schema: revokedPage } },
    errors: [saleErrors.no_such_sale, generalErrors.forbidden, generalErrors.invalid_request],
    async handle({ caller: { organiserId }, params, query }) {
      const sale = isSaleId(params.sale) ? await findSale(sql, params.sale) : undefined
      if (sale === undefined) throw new Problem(saleErrors.no_such_sale)
      if (sale.organiserId !== organiserId) throw new Problem(generalErrors.forbidden)
      return { status: 200, body: await listRevoked(sql, { saleId: sale.id, ...query }) }
    },
  })
