import type { Clock } from '../../clock.ts'
import type { Sql } from '../../db/postgres.ts'
import { orAborted } from './or-aborted.ts'
import type {
  ChargeOutcome,
  ChargeRequest,
  LookupOutcome,
  PaymentProvider,
  RefundRequest,
} from './provider.ts'

export interface SandboxOptions {
  readonly sql: Sql
  readonly clock: Clock
  /** How long `sandbox_late` takes; 3 s unless told. */
  readonly lateMs?: number
}

const sandboxMethods = [
  'sandbox_approve',
  'sandbox_refuse',
  'sandbox_late',
  'sandbox_never',
  'sandbox_refuse_never',
] as const
type SandboxMethod = (typeof sandboxMethods)[number]

interface Charge {
  readonly amountMinor: number
  readonly outcome: 'approved' | 'refused'
}

/**
 * A provider that moves no money. The buyer chooses how it behaves by the method: it approves, refuses, approves late,
 * or captures, or refuses, and never answers. Its books are a table, so it remembers across restarts as a real one would.
 */
export class SandboxProvider implements PaymentProvider {
  readonly name = 'sandbox'
  readonly methods = sandboxMethods
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #lateMs: number

  constructor(options: SandboxOptions) {
    this.#sql = options.sql
    this.#clock = options.clock
    this.#lateMs = options.lateMs ?? 3000
  }

  async charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeOutcome> {
    const method = mustBeMethod(request.method)
    const entered = this.#enterInTime(request, method)
    // What the provider has begun it finishes, also when nobody listens any more.
    entered.catch(() => {})
    const charge = await orAborted(entered, signal)
    // Two different charges under one key are a mistake of the caller's, as at any real provider.
    if (charge.amountMinor !== request.amountMinor)
      throw new Error('The charge key was used for another amount')
    if (method.endsWith('_never')) await orAborted(new Promise<never>(() => {}), signal)
    return outcomeOf(request.key, charge)
  }

  async lookup({ orderId, key }: { orderId: string; key: string }): Promise<LookupOutcome> {
    const [charge] = await this.#sql<Charge[]>`
      select amount_minor as "amountMinor", outcome from sandbox_charges
      where charge_key = ${key} and order_id = ${orderId}`
    return charge === undefined ? { outcome: 'none' } : outcomeOf(key, charge)
  }

  async refund({ key, chargeKey, amountMinor }: RefundRequest): Promise<void> {
    const refunded = await this.#sql`
      update sandbox_charges set refund_key = ${key}, refunded_at = coalesce(refunded_at, now())
      where charge_key = ${chargeKey} and outcome = 'approved' and amount_minor = ${amountMinor}
        and (refund_key is null or refund_key = ${key})`
    if (refunded.count !== 1) throw new Error('There is no such charge to give back')
  }

  async #enterInTime(request: ChargeRequest, method: SandboxMethod): Promise<Charge> {
    if (method === 'sandbox_late') await this.#clock.wait(this.#lateMs)
    return this.#enter(request, method.startsWith('sandbox_refuse') ? 'refused' : 'approved')
  }

  /** The first entry under a key stands; a repeated charge reads it. */
  async #enter(request: ChargeRequest, outcome: Charge['outcome']): Promise<Charge> {
    await this.#sql`
      insert into sandbox_charges (charge_key, order_id, amount_minor, outcome)
      values (${request.key}, ${request.orderId}, ${request.amountMinor}, ${outcome})
      on conflict (charge_key) do nothing`
    const [charge] = await this.#sql<Charge[]>`
      select amount_minor as "amountMinor", outcome from sandbox_charges where charge_key = ${request.key}`
    if (charge === undefined) throw new Error('The sandbox lost an entry of its books')
    return charge
  }
}

function mustBeMethod(method: string): SandboxMethod {
  const known = sandboxMethods.find((candidate) => candidate === method)
  if (known === undefined) throw new Error(`The sandbox knows no method ${method}`)
  return known
}

function outcomeOf(key: string, charge: Charge): ChargeOutcome {
  if (charge.outcome === 'approved') return { outcome: 'approved', providerRef: `sandbox:${key}` }
  return { outcome: 'refused', reason: 'The sandbox was asked to refuse.' }
}
