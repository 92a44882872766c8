import { defineErrors } from '../../errors.ts'

export const queueErrors = defineErrors({
  verified_only: {
    status: 403,
    title: 'This sale is for verified accounts only',
    advice: 'Sign in with an account whose address is verified.',
    retryable: false,
  },
  queue_ticket_invalid: {
    status: 422,
    title: 'The queue ticket was not issued here for this account and sale',
    advice: 'Join without a ticket.',
    retryable: false,
  },
})
