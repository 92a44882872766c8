import { z } from 'zod'

const time = z.iso.datetime({ offset: true })

const bookingIdShape = /^bkg_[0-9a-z]{20}$/

export function isBookingId(text: string): boolean {
  return bookingIdShape.test(text)
}

export const bookingParams = z.object({ booking: z.string().describe('Id of a booking, `bkg_…`.') })

export const ticketMessage = z
  .object({
    booking: z.string(),
    sale: z.string(),
    unit: z.string(),
    issue: z.int(),
    code: z
      .string()
      .describe(
        'A compact JWS (ES256, `typ: ticket+jwt`) of {b: booking, s: sale, u: unit, n: issue}; /.well-known/jwks.json has the key that verifies it.',
      ),
    svg: z.string().describe('The code as a QR code, an SVG document.'),
  })
  .meta({ id: 'Ticket' })

export const checkinRequest = z.object({ code: z.string().min(1).max(2048) }).meta({ id: 'Checkin' })

export const checkedInBooking = z
  .object({
    id: z.string(),
    sale: z.string(),
    order: z.string(),
    unit: z.string(),
    checkedInAt: time,
  })
  .meta({ id: 'CheckedInBooking' })

export const checkinAnswer = z.object({ booking: checkedInBooking })

export const revokedTicket = z
  .object({ booking: z.string(), issue: z.int(), at: time })
  .meta({ id: 'RevokedTicket' })

export const revokedPage = z
  .object({ items: z.array(revokedTicket), next: z.string().nullable() })
  .meta({ id: 'RevokedPage' })

export const revokedQuery = z.object({
  cursor: z.string().max(200).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
})

export type CheckedInBooking = z.infer<typeof checkedInBooking>
export type RevokedTicket = z.infer<typeof revokedTicket>
