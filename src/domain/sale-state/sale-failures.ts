import { defineErrors, Problem, type ErrorDefinition } from '../../errors.ts'

/** Errors that any call on a sale's line, holds or orders can meet, because the sale's state refuses it. */
export const saleStateErrors = defineErrors({
  restoring: {
    status: 503,
    title: 'The line of this sale is being put back',
    advice: 'Ask again after the time named in Retry-After; your place is kept.',
    retryable: true,
  },
  sale_closed: {
    status: 409,
    title: 'This sale is over',
    advice: 'Nothing more can be had here.',
    retryable: false,
  },
  not_open_yet: {
    status: 409,
    title: 'This sale has not opened yet',
    advice: 'Come back at the time given as `opensAt` of the sale.',
    retryable: true,
  },
  not_in_line: {
    status: 404,
    title: 'This account has no place in the line of this sale',
    advice:
      'Join with POST /api/v1/sales/{sale}/queue; send the queue ticket along to get an earlier place back.',
    retryable: false,
  },
  admission_over: {
    status: 403,
    title: 'The purchase token is not valid any more',
    advice: 'Join the line again.',
    retryable: false,
  },
  unit_taken: {
    status: 409,
    title: 'Not all of what was asked for is free',
    advice: 'Choose other units than those named in `units`; nothing was held.',
    retryable: false,
  },
  limit_reached: {
    status: 409,
    title: 'That is more than one account may have in this sale',
    advice: 'Ask for fewer, or release a hold; the limit is `queue.maxPerAccount` of the sale.',
    retryable: false,
  },
  hold_gone: {
    status: 409,
    title: 'This hold has ended or is not yours',
    advice: 'Hold the units again while your purchase token is valid.',
    retryable: false,
  },
  leaves_single_seat: {
    status: 409,
    title: 'This choice would leave a single seat between taken ones',
    advice: 'Move the choice along the row, or take the seats named in `units` as well; nothing was held.',
    retryable: false,
  },
  already_extended: {
    status: 409,
    title: 'This hold was extended before',
    advice: 'Order what is held before it ends; a hold is extended once.',
    retryable: false,
  },
  being_admitted: {
    status: 409,
    title: 'This account is being let in at this very moment',
    advice: 'Try again in a second.',
    retryable: true,
  },
})

/** What scripts answer instead of a result. The numbers stand in lua/guard.lua too. */
export const saleFailures = {
  forgotten: -1,
  otherEpoch: -2,
  fenced: -3,
  closed: -4,
  notInLine: -5,
  noAdmission: -6,
  taken: -7,
  limit: -8,
  noHold: -9,
  granting: -10,
  opensLater: -11,
  leftAlone: -12,
  extended: -13,
} as const

const definitions: ReadonlyMap<number, ErrorDefinition> = new Map<number, ErrorDefinition>([
  [saleFailures.forgotten, saleStateErrors.restoring],
  [saleFailures.otherEpoch, saleStateErrors.restoring],
  [saleFailures.closed, saleStateErrors.sale_closed],
  [saleFailures.notInLine, saleStateErrors.not_in_line],
  [saleFailures.noAdmission, saleStateErrors.admission_over],
  [saleFailures.taken, saleStateErrors.unit_taken],
  [saleFailures.limit, saleStateErrors.limit_reached],
  [saleFailures.noHold, saleStateErrors.hold_gone],
  [saleFailures.granting, saleStateErrors.being_admitted],
  [saleFailures.opensLater, saleStateErrors.not_open_yet],
  [saleFailures.leftAlone, saleStateErrors.leaves_single_seat],
  [saleFailures.extended, saleStateErrors.already_extended],
])

/** Whoever writes with a fence that is not the newest has lost the sale to another process and must stop. */
export class FencedError extends Error {
  override name = 'FencedError'
}

/** For calls that a closed sale refuses, also when nothing of it is left in Redis. Throws `sale_closed`. */
export function mustNotBeClosed(sale: { readonly status: string }): void {
  if (sale.status === 'closed') throw new Problem(saleStateErrors.sale_closed)
}

/** The error a script's failure number stands for. */
export function saleFailure(failure: number): Error {
  if (failure === saleFailures.fenced) return new FencedError('another process writes to this sale')
  const definition = definitions.get(failure)
  if (definition === undefined) return new Error(`a script answered with the unknown failure ${failure}`)
  return new Problem(definition, definition.retryable ? { retryAfterSeconds: 1 } : {})
}
