import { ApiError } from '../client/api-error.ts'
import type { Time } from '../client/client-ports.ts'
import type { OpenrunClient } from '../client/openrun-client.ts'
import type { BuyerPlan } from './buyer-plan.ts'
import type { JournalFact } from './journal.ts'
import type { SaleOffer } from './sale-offer.ts'

/** What makes a buyer: an account, a plan, and eyes and hands. */
export interface BuyerParts {
  readonly client: OpenrunClient
  /** The same account, asking another server first where there are several: the second tab. */
  readonly secondTab: OpenrunClient
  readonly offer: SaleOffer
  readonly plan: BuyerPlan
  readonly time: Time
  /** 0 ≤ random < 1. */
  readonly random: () => number
  readonly note: (fact: JournalFact) => void
  /** Aborts when the crowd has to go home. */
  readonly signal: AbortSignal
}

/** What to write down about an error. */
export function reasonOf(error: unknown): string {
  if (error instanceof ApiError) {
    const trace = error.status >= 500 ? ` (trace ${error.problem.traceId ?? '?'})` : ''
    return `${error.status} ${error.code}: ${error.message}${trace}`
  }
  return error instanceof Error ? error.message : String(error)
}
