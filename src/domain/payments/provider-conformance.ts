import type { Test } from 'tap'
import { randomIds } from '../../ids.ts'
import type { ChargeRequest, PaymentProvider } from './provider.ts'

export interface ProviderUnderTest {
  /** Another object for the same account with the provider, as after a restart of ours. */
  readonly restarted: () => PaymentProvider
  /** Methods that behave like this, of which a provider's test environment has all. */
  readonly methods: { readonly approves: string; readonly refuses: string; readonly neverAnswers: string }
}

/** What every provider must keep, or money is taken twice or lost. */
export async function checkProvider(t: Test, provider: ProviderUnderTest): Promise<void> {
  await t.test('charges', (t) => checkCharges(t, provider))
  await t.test('look-ups', (t) => checkLookups(t, provider))
  await t.test('refunds', (t) => checkRefunds(t, provider))
}

const { signal: patient } = new AbortController()

function request(method: string): ChargeRequest {
  const orderId = randomIds.next('ord')
  return { key: `${orderId}.charge`, orderId, amountMinor: 12_300, currency: 'KRW', method }
}

async function checkCharges(t: Test, { restarted, methods }: ProviderUnderTest): Promise<void> {
  await t.test('a charge that is approved has a reference', async (t) => {
    const outcome = await restarted().charge(request(methods.approves), patient)
    t.match(outcome, { outcome: 'approved', providerRef: /./ })
  })

  await t.test('a charge that is refused has a reason', async (t) => {
    const outcome = await restarted().charge(request(methods.refuses), patient)
    t.match(outcome, { outcome: 'refused', reason: /./ })
  })

  await t.test('the same key is the same charge, also at once and after a restart', async (t) => {
    for (const method of [methods.approves, methods.refuses]) {
      const charge = request(method)
      const provider = restarted()
      const first = await Promise.all([provider.charge(charge, patient), provider.charge(charge, patient)])
      t.same(first[0], first[1])
      t.same(await restarted().charge(charge, patient), first[0])
      // What came of a charge does not change because it is asked for in another way.
      t.same(await restarted().charge({ ...charge, method: methods.approves }, patient), first[0])
    }
  })

  await t.test('the same key with another amount is an error, not a second charge', async (t) => {
    const charge = request(methods.approves)
    await restarted().charge(charge, patient)
    await t.rejects(restarted().charge({ ...charge, amountMinor: 1 }, patient))
  })

  await t.test('an unknown method is an error and leaves no charge', async (t) => {
    const charge = request('no_such_method')
    await t.rejects(restarted().charge(charge, patient))
    t.same(await restarted().lookup({ orderId: charge.orderId, key: charge.key }, patient), {
      outcome: 'none',
    })
  })
}

async function checkLookups(t: Test, { restarted, methods }: ProviderUnderTest): Promise<void> {
  await t.test('a look-up tells what came of a charge, and that there was none', async (t) => {
    const approved = request(methods.approves)
    const refused = request(methods.refuses)
    const look = ({ orderId, key }: ChargeRequest) => restarted().lookup({ orderId, key }, patient)
    t.same(await look(approved), { outcome: 'none' })
    const outcome = await restarted().charge(approved, patient)
    await restarted().charge(refused, patient)
    t.same(await look(approved), outcome)
    t.match(await look(refused), { outcome: 'refused' })
    t.same(await look({ ...approved, orderId: refused.orderId }), { outcome: 'none' }, 'of another order')
  })

  await t.test(
    'a charge that never answers ends when its caller gives up, and a look-up tells the truth',
    async (t) => {
      const charge = request(methods.neverAnswers)
      const caller = new AbortController()
      const answer = restarted().charge(charge, caller.signal)
      const look = () => restarted().lookup({ orderId: charge.orderId, key: charge.key }, patient)
      while ((await look()).outcome === 'none') await new Promise((resolve) => setImmediate(resolve))
      caller.abort()
      await t.rejects(answer)
      t.match(await look(), { outcome: 'approved' })
    },
  )
}

async function checkRefunds(t: Test, { restarted, methods }: ProviderUnderTest): Promise<void> {
  await t.test('a refund is given once under its key and never under another', async (t) => {
    const charge = request(methods.approves)
    await restarted().charge(charge, patient)
    const refund = { key: `${charge.key}_refund`, chargeKey: charge.key, amountMinor: charge.amountMinor }
    await Promise.all([restarted().refund(refund, patient), restarted().refund(refund, patient)])
    await restarted().refund(refund, patient)
    await t.rejects(restarted().refund({ ...refund, key: 'another' }, patient))
  })

  await t.test('what was not captured, or not as much, is not given back', async (t) => {
    const refused = request(methods.refuses)
    const approved = request(methods.approves)
    await restarted().charge(refused, patient)
    await restarted().charge(approved, patient)
    const refund = { key: 'refund', amountMinor: approved.amountMinor }
    await t.rejects(restarted().refund({ ...refund, chargeKey: refused.key }, patient))
    await t.rejects(restarted().refund({ ...refund, chargeKey: 'unheard_of' }, patient))
    await t.rejects(restarted().refund({ ...refund, chargeKey: approved.key, amountMinor: 12_301 }, patient))
  })
}
