import { defineErrors } from '../../errors.ts'

export const tokenErrors = defineErrors({
  purchase_token_invalid: {
    status: 403,
    title: 'This is no purchase token of this server',
    advice: 'Send the token from the `admitted` event as Purchase-Token; an access token does not serve.',
    retryable: false,
  },
  purchase_token_expired: {
    status: 403,
    title: 'The time to buy is over',
    advice: 'Join the line again.',
    retryable: false,
  },
  purchase_token_foreign: {
    status: 403,
    title: 'The purchase token belongs to another sale or another account',
    advice: 'Use a token with the account and in the sale it was given for.',
    retryable: false,
  },
})
