import { generalErrors, Problem } from '../errors.ts'
import { isPostgresAway } from './postgres.ts'
import { asUnavailable } from './redis.ts'

/**
 * How loud a failure is that is tried again anyway: that a store is away is said once for the whole process, by its
 * condition, and not by everybody who notices.
 */
export function levelOfFailure(error: unknown): 'debug' | 'warn' {
  const known = asUnavailable(error)
  const isUnavailable = known instanceof Problem && known.definition === generalErrors.unavailable
  return isUnavailable || isPostgresAway(error) ? 'debug' : 'warn'
}
