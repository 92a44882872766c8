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
