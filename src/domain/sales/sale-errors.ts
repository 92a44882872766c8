import { defineErrors } from '../../errors.ts'

export const saleErrors = defineErrors({
  no_such_sale: {
    status: 404,
    title: 'There is no such sale',
    advice: 'Take the id from GET /api/v1/sales.',
    retryable: false,
  },
  sale_change_not_allowed: {
    status: 409,
    title: 'The sale does not allow this change in its present state',
    advice:
      'See its state in `saleStatus`: times can be changed only before the opening, nothing after the closing.',
    retryable: false,
  },
})
