import { defineErrors } from '../../errors.ts'

export const ticketErrors = defineErrors({
  no_such_booking: {
    status: 404,
    title: 'There is no such booking here',
    advice: 'Ask as the account that booked, or as the organiser of its sale.',
    retryable: false,
  },
  not_booked: {
    status: 409,
    title: 'This booking does not stand, so it has no ticket',
    advice: 'See the status of its order.',
    retryable: false,
  },
  ticket_invalid: {
    status: 422,
    title: 'This is no ticket of this server',
    advice: 'Scan the code again; if it stays, the ticket is forged or damaged.',
    retryable: false,
  },
  already_checked_in: {
    status: 409,
    title: 'This ticket was used before',
    advice: 'See `checkedInAt` for when.',
    retryable: false,
  },
  ticket_revoked: {
    status: 409,
    title: 'This ticket is not good any more',
    advice: 'The booking was cancelled, or the ticket was issued anew.',
    retryable: false,
  },
})
