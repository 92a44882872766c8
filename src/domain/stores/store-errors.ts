import { defineErrors } from '../../errors.ts'

export const storeErrors = defineErrors({
  no_such_store: {
    status: 404,
    title: 'There is no such store',
    advice: 'Take the id from GET /api/v1/stores.',
    retryable: false,
  },
  store_closed: {
    status: 409,
    title: 'The store has closed',
    advice: 'A closed store stays as it is; register a new one.',
    retryable: false,
  },
})
