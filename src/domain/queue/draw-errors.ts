import { defineErrors } from '../../errors.ts'

export const drawErrors = defineErrors({
  no_draw: {
    status: 404,
    title: 'Nothing is drawn in this sale',
    advice: 'Only a sale whose `queue.mode` is `lottery` has a draw.',
    retryable: false,
  },
  not_drawn_yet: {
    status: 409,
    title: 'The draw has not taken place yet',
    advice: 'The entries are published when the sale opens.',
    retryable: true,
  },
})
