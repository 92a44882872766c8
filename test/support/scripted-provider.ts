import type {
  ChargeOutcome,
  ChargeRequest,
  LookupOutcome,
  PaymentProvider,
  RefundRequest,
} from '../../src/domain/payments/provider.ts'

/** A provider whose answers the test gives. Without one a charge never answers. */
export class ScriptedProvider implements PaymentProvider {
  readonly name = 'scripted'
  readonly methods = ['sandbox_approve']
  readonly charges: ChargeRequest[] = []
  readonly lookups: string[] = []
  readonly refunds: RefundRequest[] = []
  onCharge: (request: ChargeRequest) => Promise<ChargeOutcome> = () => new Promise(() => {})
  onLookup: () => Promise<LookupOutcome> = () => Promise.resolve({ outcome: 'none' })
  onRefund: () => Promise<void> = () => Promise.resolve()

  charge(request: ChargeRequest): Promise<ChargeOutcome> {
    this.charges.push(request)
    return this.onCharge(request)
  }

  lookup({ key }: { key: string }): Promise<LookupOutcome> {
    this.lookups.push(key)
    return this.onLookup()
  }

  refund(request: RefundRequest): Promise<void> {
    this.refunds.push(request)
    return this.onRefund()
  }
}
