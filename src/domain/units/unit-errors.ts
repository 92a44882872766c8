import { defineErrors } from '../../errors.ts'

export const unitErrors = defineErrors({
  no_such_unit: {
    status: 422,
    title: 'The sale has no unit of that code',
    advice: 'Take codes from GET /api/v1/sales/{sale}/layout; `units` names the unknown ones.',
    retryable: false,
  },
  beyond_capacity: {
    status: 422,
    title: 'The unit has fewer places than that, even when empty',
    advice: 'Ask for fewer places of the units named in `units`.',
    retryable: false,
  },
  one_per_unit: {
    status: 422,
    title: 'This sale gives an account one place of a unit',
    advice: 'Ask for one place each of different units.',
    retryable: false,
  },
  already_booked: {
    status: 409,
    title: 'This account has booked that unit before',
    advice: 'See `order`; cancel it to choose anew, or choose another unit than `unit`.',
    retryable: false,
  },
  already_held: {
    status: 409,
    title: 'This account holds that unit already',
    advice: 'Order what `hold` holds, or release it.',
    retryable: false,
  },
  store_limit_reached: {
    status: 409,
    title: 'That is more than one account may have in this store',
    advice: 'Cancel a booking first: `limit` may stand in all sales of the store together, `standing` do.',
    retryable: false,
  },
  fully_booked: {
    status: 409,
    title: 'That slot is fully booked',
    advice: 'Choose one of `nearest`, which had places a moment ago; nothing was held.',
    retryable: false,
  },
  not_watching: {
    status: 409,
    title: 'This connection does not watch the map',
    advice: 'Subscribe to `units:<sale>` first.',
    retryable: false,
  },
  none_together: {
    status: 409,
    title: 'There are not that many free places together',
    advice: 'Ask for fewer, for another section or price class, or choose single units.',
    retryable: false,
  },
})
