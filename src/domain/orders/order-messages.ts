import { z } from 'zod'

const time = z.iso.datetime({ offset: true })

const orderIdShape = /^ord_[0-9a-z]{20}$/

export function isOrderId(text: string): boolean {
  return orderIdShape.test(text)
}

export const bookingMessage = z
  .object({
    id: z.string(),
    unit: z.string().describe('The code of the seat or slot, unique within the sale.'),
    priceClass: z.string(),
    priceMinor: z.int().describe("In the minor unit of the order's currency."),
    status: z.enum(['pending', 'booked', 'released', 'cancelled']),
    checkedInAt: time.nullable(),
  })
  .meta({ id: 'Booking' })

export const orderMessage = z
  .object({
    id: z.string(),
    sale: z.string(),
    status: z
      .enum(['saving', 'pending', 'paying', 'booked', 'refused', 'expired', 'cancelled', 'abandoned'])
      .describe(
        '`saving` is not written yet, its places are kept; `pending` waits for its payment, `paying` for the answer of the payment provider. `abandoned` could not be written in time: nothing was booked, nothing charged.',
      ),
    total: z.object({ amountMinor: z.int(), currency: z.string() }),
    refund: z
      .enum(['none', 'under_way', 'done'])
      .describe('Whether money that was taken for this order goes back.'),
    payBy: time.nullable().describe('When a pending order expires.'),
    createdAt: time,
    endedAt: time.nullable(),
    bookings: z.array(bookingMessage),
  })
  .meta({ id: 'Order' })

export const orderAnswer = z.object({ order: orderMessage })

export const orderPage = z
  .object({ items: z.array(orderMessage), next: z.string().nullable() })
  .meta({ id: 'OrderPage' })

export const orderParams = z.object({ order: z.string().describe('Id of an order, `ord_…`.') })

export const orderQuery = z.object({
  cursor: z.string().max(200).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

export type OrderMessage = z.infer<typeof orderMessage>
export type BookingMessage = z.infer<typeof bookingMessage>
