export interface ChargeRequest {
  /** Names the charge: the same key again is the same charge, whatever became of the answer. */
  readonly key: string
  readonly orderId: string
  readonly amountMinor: number
  readonly currency: string
  /** One of the provider's `methods`. */
  readonly method: string
}

export type ChargeOutcome =
  | { readonly outcome: 'approved'; readonly providerRef: string }
  | { readonly outcome: 'refused'; readonly reason: string }

/** `none`: the provider has never heard of the charge, so asking for it again is safe. */
export type LookupOutcome = ChargeOutcome | { readonly outcome: 'none' }

export interface RefundRequest {
  /** Names the refund, as the charge's key names the charge. */
  readonly key: string
  readonly chargeKey: string
  readonly amountMinor: number
}

/**
 * Whoever moves the money. Each call may also reject, or never answer until its signal aborts: then nothing is known,
 * neither that it was done nor that it was not.
 */
export interface PaymentProvider {
  readonly name: string
  /** The ways to pay it takes, as a buyer names them. */
  readonly methods: readonly string[]
  charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeOutcome>
  lookup(
    request: { readonly orderId: string; readonly key: string },
    signal: AbortSignal,
  ): Promise<LookupOutcome>
  /** Resolves when the money is on its way back. Repeating it with the same key gives nothing back twice. */
  refund(request: RefundRequest, signal: AbortSignal): Promise<void>
}
