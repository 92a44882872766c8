import t from 'tap'
import { SwiftTime } from '../../test/support/swift-time.ts'
import { ApiError, ConnectionError } from './api-error.ts'
import { withRetries, type RetryOptions } from './retry.ts'

const problem = { title: 'busy', status: 503, code: 'overloaded', retryable: true }
const busy = new ApiError(problem)
const policy = { baseMs: 100, pauseMaxMs: 1_000, withinMs: 10_000 }

function setting(options: Partial<RetryOptions> = {}) {
  const time = new SwiftTime()
  return { time, options: { policy, time, random: () => 0.5, ...options } }
}

/** Fails with these errors, one after the other, then succeeds with the number of the attempt. */
function failing(...errors: readonly Error[]) {
  return async (number: number): Promise<number> => {
    const error = errors[number]
    if (error !== undefined) throw error
    return number
  }
}

t.test('what will pass is tried again after pauses that grow', async (t) => {
  const { time, options } = setting()
  t.equal(await withRetries(failing(busy, busy, new ConnectionError('cut')), options), 3)
  t.same(time.waits, [75, 150, 300])
})

t.test('chance spreads a pause over its upper half', async (t) => {
  const [shortest, longest] = [setting({ random: () => 0 }), setting({ random: () => 0.999 })]
  await withRetries(failing(busy), shortest.options)
  await withRetries(failing(busy), longest.options)
  t.equal(shortest.time.waits[0], 50)
  t.ok((longest.time.waits[0] ?? 0) > 99 && (longest.time.waits[0] ?? 0) <= 100)
})

t.test('a pause is never longer than the policy has it', async (t) => {
  const { time, options } = setting({ random: () => 0.999 })
  await withRetries(failing(...Array.from({ length: 8 }, () => busy)), options)
  t.ok(Math.max(...time.waits) <= 1_000)
  t.ok((time.waits.at(-1) ?? 0) > 990)
})

t.test('no sooner than the server asked for', async (t) => {
  const { time, options } = setting()
  await withRetries(failing(new ApiError(problem, 3)), options)
  t.ok((time.waits[0] ?? 0) >= 3_000)
})

t.test('a refusal that will not pass is not tried again', async (t) => {
  const { time, options } = setting()
  const taken = new ApiError({ ...problem, status: 409, code: 'unit_taken', retryable: false })
  await t.rejects(withRetries(failing(taken), options), { code: 'unit_taken' })
  t.same(time.waits, [])
})

t.test('a mistake in the program is not tried again', async (t) => {
  const { time, options } = setting()
  await t.rejects(withRetries(failing(new TypeError('oops')), options), TypeError)
  t.same(time.waits, [])
})

t.test('after the time that the policy allows, the last error is thrown', async (t) => {
  const { time, options } = setting()
  const attempts: number[] = []
  const always = async (number: number): Promise<never> => {
    attempts.push(number)
    throw busy
  }
  const beganMs = time.nowMs()
  await t.rejects(withRetries(always, options), { code: 'overloaded' })
  t.ok(attempts.length > 5)
  t.ok(time.nowMs() - beganMs <= policy.withinMs)
})

t.test('who goes away is not kept waiting', async (t) => {
  const gone = new AbortController()
  const { options } = setting({ signal: gone.signal })
  const attempts: number[] = []
  const leaving = async (number: number): Promise<never> => {
    attempts.push(number)
    gone.abort()
    throw busy
  }
  await t.rejects(withRetries(leaving, options), { code: 'overloaded' })
  t.same(attempts, [0])
})
