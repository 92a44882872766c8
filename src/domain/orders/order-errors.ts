import { defineErrors } from '../../errors.ts'

export const orderErrors = defineErrors({
  no_such_order: {
    status: 404,
    title: 'This account has no such order',
    advice: 'See GET /api/v1/orders for the orders of the account.',
    retryable: false,
  },
  payment_needed: {
    status: 409,
    title: 'What this sale offers costs something',
    advice: 'Hold units with POST /api/v1/sales/{sale}/holds, then order them with a payment method.',
    retryable: false,
  },
  payment_method_unknown: {
    status: 422,
    title: 'The payment method is missing or not one of this server',
    advice: 'Name one of the methods listed in the documentation as `payment.method`.',
    retryable: false,
  },
  payment_under_way: {
    status: 409,
    title: 'The payment of this order is under way',
    advice: 'Try again once the order is booked or refused.',
    retryable: true,
  },
  order_ended: {
    status: 409,
    title: 'The order was refused or has expired, so there is nothing to cancel',
    advice: 'Nothing was charged; join the line again to buy.',
    retryable: false,
  },
  order_not_ended: {
    status: 409,
    title: 'The order stands, so it cannot be taken out of the history',
    advice: 'Cancel the order first.',
    retryable: false,
  },
  order_checked_in: {
    status: 409,
    title: 'A ticket of this order was used at the door',
    advice: 'An order can be cancelled only while none of its tickets is used.',
    retryable: false,
  },
})
