import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { folded, initialsOf } from '../../src/domain/stores/store-name.ts'
import type { HttpAnswer } from './http-connection.ts'
import type { RushHeard, RushLatency, RushStep } from './rush-calls.ts'
import type { RushRequest } from './rush-visit.ts'

/** One page in so many is looked into: reading them all would cost as much as making them. */
const looksInto = 20
const examplesMax = 5

const expected: Readonly<Record<RushStep, readonly number[]>> = {
  list: [200],
  search: [200],
  detail: [200],
  sales: [200],
  join: [200, 201, 409],
  standing: [200, 409],
  leave: [204, 409],
  // 202: its place is kept, and it is written as soon as that can be done.
  book: [201, 202, 409],
}

/** What came of a rush. */
export class RushTally {
  readonly #plateau = createHistogram()
  readonly #whole = createHistogram()
  readonly #bySteps = new Map<RushStep, RecordableHistogram>()
  readonly #seconds: RecordableHistogram[] = []
  readonly #statuses = new Map<string, number>()
  readonly #refusals = new Map<string, number>()
  readonly #examples: string[] = []
  readonly #booked: { order: string; account: string }[] = []
  #answered = 0
  #answeredOnPlateau = 0
  #errors = 0
  #pagesRead = 0
  #pagesWrong = 0
  #newPlaces = 0
  #samePlaces = 0

  latency(step: RushStep, at: { dueSeconds: number; tookMs: number; wasDueOnPlateau: boolean }): void {
    const micros = Math.max(1, Math.round(at.tookMs * 1000))
    this.#whole.record(micros)
    const second = Math.floor(at.dueSeconds)
    while (this.#seconds.length <= second) this.#seconds.push(createHistogram())
    this.#seconds[second]?.record(micros)
    if (!at.wasDueOnPlateau) return
    this.#plateau.record(micros)
    const ofStep = this.#bySteps.get(step) ?? createHistogram()
    this.#bySteps.set(step, ofStep)
    ofStep.record(micros)
  }

  answer(request: RushRequest, answer: HttpAnswer, from: { account: string; isPlateau: boolean }): void {
    const { step } = request
    this.#answered += 1
    if (from.isPlateau) this.#answeredOnPlateau += 1
    count(this.#statuses, `${step} ${answer.status}`)
    if (!expected[step].includes(answer.status))
      return this.error(`${step}: ${answer.status} ${answer.body()}`)
    if (answer.status === 409) count(this.#refusals, codeIn(answer.body()))
    else if (step === 'join' && answer.status === 201) this.#newPlaces += 1
    else if (step === 'join') this.#samePlaces += 1
    else if (step === 'book') this.#booked.push({ order: orderIn(answer.body()), account: from.account })
    else if (this.#answered % looksInto === 0) this.#lookInto(request, answer.body())
  }

  error(what: string): void {
    this.#errors += 1
    if (this.#examples.length < examplesMax) this.#examples.push(what)
  }

  heard(sent: number, plateauSeconds: number): RushHeard {
    return {
      sent,
      answered: this.#answered,
      plateau: {
        ...latencyOf(this.#plateau),
        perSecond: this.#answeredOnPlateau / plateauSeconds,
        bySteps: Object.fromEntries([...this.#bySteps].map(([step, one]) => [step, latencyOf(one)])),
      },
      whole: latencyOf(this.#whole),
      seconds: this.#seconds.map(latencyOf),
      statuses: Object.fromEntries(this.#statuses),
      refusals: Object.fromEntries(this.#refusals),
      errors: this.#errors,
      errorExamples: this.#examples,
      pagesRead: this.#pagesRead,
      pagesWrong: this.#pagesWrong,
      newPlaces: this.#newPlaces,
      samePlaces: this.#samePlaces,
      booked: this.#booked,
    }
  }

  #lookInto({ step, search, store }: RushRequest, body: string): void {
    if (step === 'standing' || step === 'leave') return
    this.#pagesRead += 1
    if (!isWhatWasAsked(step, JSON.parse(body) as Page, { search, store })) this.#pagesWrong += 1
  }
}

interface Page {
  readonly id?: string
  readonly items?: readonly { readonly name?: string; readonly category?: string; readonly store?: string }[]
}

function isWhatWasAsked(
  step: RushStep,
  { id, items }: Page,
  { search, store }: Pick<RushRequest, 'search' | 'store'>,
): boolean {
  if (step === 'detail') return id === store?.id
  if (items === undefined) return false
  if (step === 'sales') return items.every((sale) => sale.store === store?.id)
  if (step === 'list') return items.length > 0
  const part = folded(search?.word ?? '')
  return items.every(
    ({ name = '', category }) =>
      (folded(name).includes(part) || initialsOf(name).includes(part)) &&
      (search?.category === undefined || category === search.category),
  )
}

function latencyOf(histogram: RecordableHistogram): RushLatency {
  return {
    count: histogram.count,
    meanMs: histogram.mean / 1000,
    p50Ms: histogram.percentile(50) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function codeIn(body: string): string {
  return /"code":"(\w+)"/.exec(body)?.[1] ?? 'without a code'
}

function orderIn(body: string): string {
  return /"id":"(ord_\w+)"/.exec(body)?.[1] ?? ''
}
