import { getEventListeners } from 'node:events'
import t from 'tap'
import { orAborted } from './or-aborted.ts'

const never = new Promise<never>(() => {})

t.test('the outcome of the work passes through, and no listener stays', async (t) => {
  const { signal } = new AbortController()
  t.equal(await orAborted(Promise.resolve(1), signal), 1)
  await t.rejects(orAborted(Promise.reject(new Error('no')), signal), { message: 'no' })
  t.same(getEventListeners(signal, 'abort'), [])
})

t.test('an abort ends the wait with its reason', async (t) => {
  const controller = new AbortController()
  const waiting = orAborted(never, controller.signal)
  controller.abort(new Error('too late'))
  await t.rejects(waiting, { message: 'too late' })
  await t.rejects(
    orAborted(never, controller.signal),
    { message: 'too late' },
    'also one that was there before',
  )
})
