import { isCode } from '../client/api-error.ts'
import type { Fetch, Time, WebSocketConstructor } from '../client/client-ports.ts'
import { OpenrunClient } from '../client/openrun-client.ts'
import type { RetryPolicy } from '../client/retry.ts'
import type { ChatEntry } from '../domain/chat/chat-messages.ts'
import type { SaleView } from '../domain/sales/sale-messages.ts'
import { auditBuyers, type KnownBuyer } from './audit.ts'
import { buyerPlan } from './buyer-plan.ts'
import { visit } from './buyer-visit.ts'
import { inParallel } from './in-parallel.ts'
import { Journal, type JournalEntry } from './journal.ts'
import { saleOffer, type SaleOffer } from './sale-offer.ts'
import { seededRandom } from './seeded-random.ts'
import { together, verdict, type SaleFacts, type Verdict } from './verdict.ts'

export interface CrowdOptions {
  /** Servers in front of the same stores. Buyers are spread over them and go to another when one fails. */
  readonly urls: readonly string[]
  /** Lets guests be made in any number. */
  readonly organiserKey: string | undefined
  readonly buyers: number
  /** All open sales, with as many buyers for each, when left out. */
  readonly saleId: string | undefined
  readonly seed: number
  readonly fetch: Fetch
  readonly WebSocket: WebSocketConstructor
  readonly time: Time
  /** Sends everybody home; what happened so far is judged all the same. */
  readonly signal: AbortSignal
  /** How long payments that are under way are waited for in the end; a minute unless told. */
  readonly settlingMs?: number
  readonly onPhase?: (phase: CrowdPhase) => void
  readonly onEntry?: (entry: JournalEntry) => void
}

export type CrowdPhase =
  | { readonly name: 'guests'; readonly offers: readonly SaleOffer[] }
  | { readonly name: 'visits' }
  | { readonly name: 'audit' }

export interface CrowdReport {
  readonly offers: readonly SaleOffer[]
  readonly entries: readonly JournalEntry[]
  readonly verdict: Verdict
}

/** There is nothing to do for a crowd; the message says why. */
export class NoSaleError extends Error {
  override name = 'NoSaleError'
}

/** A server that is gone for longer than this is gone. Restoring a line after a loss takes up to 15 s. */
const patience: RetryPolicy = { baseMs: 200, pauseMaxMs: 3_000, withinMs: 60_000 }
const hurried: RetryPolicy = { baseMs: 200, pauseMaxMs: 1_000, withinMs: 3_000 }
const callsAtOnce = 32

/**
 * Sends a crowd through a server and judges what it saw.
 * Throws NoSaleError when nothing is on sale, ConnectionError when no server can be reached.
 */
export async function runCrowd(options: CrowdOptions): Promise<CrowdReport> {
  const { time, onPhase = () => undefined } = options
  const looker = clientOf(options, { number: 0, retry: hurried }).withToken(options.organiserKey)
  const offers = await offersOf(looker, options.saleId)
  onPhase({ name: 'guests', offers })
  const buyers = await makeBuyers(options, offers)
  onPhase({ name: 'visits' })
  const { onEntry } = options
  const journal = new Journal({ nowMs: () => time.nowMs(), ...(onEntry === undefined ? {} : { onEntry }) })
  await visitAll(options, buyers, journal)
  onPhase({ name: 'audit' })
  return await judge(options, { offers, buyers, journal })
}

interface Buyer extends KnownBuyer {
  readonly number: number
  readonly offer: SaleOffer
  readonly secondTab: OpenrunClient
}

async function offersOf(client: OpenrunClient, saleId: string | undefined): Promise<SaleOffer[]> {
  const sales = saleId === undefined ? await openSales(client) : [await mustFindSale(client, saleId)]
  if (sales.length === 0) throw new NoSaleError('No sale is open on this server.')
  return await Promise.all(sales.map(async (sale) => saleOffer(sale, await client.layout(sale.id))))
}

async function openSales(client: OpenrunClient): Promise<SaleView[]> {
  const found: SaleView[] = []
  let cursor: string | undefined
  do {
    const page = await client.sales({ status: 'open', ...(cursor === undefined ? {} : { cursor }) })
    found.push(...page.items.filter(({ admits }) => admits === 'guests'))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return found
}

async function mustFindSale(client: OpenrunClient, saleId: string): Promise<SaleView> {
  try {
    return await client.sale(saleId)
  } catch (error) {
    if (isCode(error, 'no_such_sale')) throw new NoSaleError(`There is no sale ${saleId} on this server.`)
    throw error
  }
}

async function makeBuyers(options: CrowdOptions, offers: readonly SaleOffer[]): Promise<Buyer[]> {
  const numbers = Array.from({ length: options.buyers }, (_, number) => number)
  const made = await inParallel(callsAtOnce, numbers, async (number): Promise<Buyer | undefined> => {
    const offer = offers[number % offers.length]
    if (offer === undefined || options.signal.aborted) return undefined
    const host = clientOf(options, { number, retry: patience })
    const guest = await host.withToken(options.organiserKey).createGuest()
    const client = host.withToken(guest.accessToken)
    const secondTab = clientOf(options, { number: number + 1, retry: patience }).withToken(guest.accessToken)
    return { number, offer, id: guest.user.id, client, secondTab }
  })
  return made.filter((buyer) => buyer !== undefined)
}

/** A client that asks another server first than the one before it. */
function clientOf(
  { urls, fetch, WebSocket, time, seed }: CrowdOptions,
  { number, retry }: { number: number; retry: RetryPolicy },
): OpenrunClient {
  const first = number % urls.length
  const baseUrl = [...urls.slice(first), ...urls.slice(0, first)]
  const random = seededRandom(seed, -1 - number)
  return new OpenrunClient({ baseUrl, fetch, WebSocket, time, random, retry })
}

/** Each buyer has a signal of its own: a signal with thousands of listeners is slow to listen to. */
async function visitAll(options: CrowdOptions, buyers: readonly Buyer[], journal: Journal): Promise<void> {
  const { signal } = options
  const ends = buyers.map(() => new AbortController())
  const endAll = (): void => ends.forEach((end) => end.abort())
  signal.addEventListener('abort', endAll, { once: true })
  if (signal.aborted) endAll()
  const visits = buyers.map((buyer, index) => visitOf(options, buyer, journal, ends[index]?.signal ?? signal))
  await Promise.all(visits)
  signal.removeEventListener('abort', endAll)
}

async function visitOf(
  { seed, time }: CrowdOptions,
  { number, offer, id, client, secondTab }: Buyer,
  journal: Journal,
  signal: AbortSignal,
): Promise<void> {
  const who = { sale: offer.sale.id, buyer: id }
  await visit({
    client,
    secondTab,
    offer,
    plan: buyerPlan(seed, number),
    time,
    random: seededRandom(seed + 1, number),
    note: (fact) => journal.write(who, fact),
    signal,
  })
}

async function judge(
  options: CrowdOptions,
  { offers, buyers, journal }: { offers: readonly SaleOffer[]; buyers: readonly Buyer[]; journal: Journal },
): Promise<CrowdReport> {
  const { time, settlingMs = 60_000 } = options
  const endedAtMs = time.nowMs()
  const looker = clientOf(options, { number: 0, retry: patience })
  const verdicts: Verdict[] = []
  for (const offer of offers) {
    const saleId = offer.sale.id
    const visitors = buyers.filter((buyer) => buyer.offer === offer)
    const audit = await auditBuyers({ buyers: visitors, saleId, journal, time, callsAtOnce, settlingMs })
    const entries = journal.entries.filter((entry) => entry.sale === saleId)
    const sale = factsOf(offer, await looker.sale(saleId))
    const room = await roomOf(looker, offer, entries)
    verdicts.push(verdict({ sale, entries, audit, room, endedAtMs }))
  }
  return { offers, entries: journal.entries, verdict: together(verdicts) }
}

/** All that stands in the room of the store since the crowd came. */
async function roomOf(
  client: OpenrunClient,
  { sale: { store } }: SaleOffer,
  entries: readonly JournalEntry[],
): Promise<ChatEntry[]> {
  if (store === null || !entries.some(({ type }) => type === 'say-sent')) return []
  const first = Math.min(...entries.flatMap((entry) => (entry.type === 'said' ? [entry.seq] : [])))
  const found: ChatEntry[] = []
  let cursor: string | undefined
  do {
    const page = await client.stores.said(store, { limit: 100, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...page.items)
    cursor = (page.items.at(-1)?.seq ?? 0) > first ? (page.next ?? undefined) : undefined
  } while (cursor !== undefined)
  return found
}

/** The organiser may have changed pace and gate meanwhile. */
function factsOf({ sale: before, capacities }: SaleOffer, now: SaleView): SaleFacts {
  return {
    id: now.id,
    ratePerMinute: Math.max(before.queue.ratePerMinute, now.queue.ratePerMinute),
    maxActive: Math.max(before.queue.maxActive, now.queue.maxActive),
    maxPerAccount: now.queue.maxPerAccount,
    capacities,
  }
}
