import { createHistogram } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { UnitMap } from '../../src/client/unit-map.ts'
import type { Guest } from './guests.ts'
import { isRightPosition } from './line-judge.ts'
import { openAll } from './open-all.ts'
import type { StormBack, StormCalls, StormHeard, StormJudgement } from './storm-calls.ts'
import { MapInterest, PlaceInterest } from './storm-interests.ts'
import { Person } from './storm-person.ts'

const lookMs = 20

/** A crowd that waits in a line and watches a map, is cut off and comes back. */
export class StormCrowd {
  readonly #guests: () => readonly Guest[]
  #people: readonly Person[] = []
  #places: readonly PlaceInterest[] = []
  #maps: readonly MapInterest[] = []

  constructor(guests: () => readonly Guest[]) {
    this.#guests = guests
  }

  async gather(asked: StormCalls['gather']['asked']): Promise<{ opened: number }> {
    const { port, line, order, map, viewers } = asked
    const tokens = new Map(this.#guests().map(({ id, accessToken }) => [id, accessToken]))
    this.#places = order.map((accountId, index) => {
      const isStream = index % 2 === 0
      const accessToken = tokens.get(accountId)
      return new PlaceInterest(accountId, { port, index, sale: line, isStream, accessToken })
    })
    this.#maps = Array.from(
      { length: viewers },
      (_, index) => new MapInterest({ port, index, sale: map, isStream: index % 2 === 0 }),
    )
    // Taking turns: neither of them comes back before the other.
    const most = Math.max(order.length, viewers)
    const interests = Array.from({ length: most }, (_, index) => [this.#places[index], this.#maps[index]])
    this.#people = interests.flat().flatMap((interest) => (interest ? [new Person(interest)] : []))
    await openAll(this.#people.length, (index, opening) => {
      const person = this.#people[index]
      if (person === undefined) throw new RangeError(`there is no person ${index}`)
      return person.begin(opening)
    })
    return { opened: this.#people.length }
  }

  expectCut(): void {
    for (const person of this.#people) person.watchOut()
    for (const place of this.#places) place.toldFirst = undefined
    for (const map of this.#maps) map.told = { wholes: 0, deltas: 0 }
  }

  cut(): { cutAtMs: number } {
    this.expectCut()
    const cutAtMs = Date.now()
    for (const person of this.#people) person.cut()
    return { cutAtMs }
  }

  async back({ cutAtMs, seconds }: StormCalls['back']['asked']): Promise<StormBack> {
    const endMs = cutAtMs + seconds * 1000
    const isAway = ({ backAtMs }: Person): boolean => Number.isNaN(backAtMs)
    while (this.#people.some(isAway) && Date.now() < endMs) await wait(lookMs)
    const cut = this.#people.filter(({ wasCut }) => wasCut)
    const back = cut.filter((person) => !isAway(person))
    const delays = createHistogram()
    for (const { backAtMs } of back) delays.record(Math.max(1, backAtMs - cutAtMs))
    const connections = cut.reduce((sum, person) => sum + person.connections, 0)
    return {
      cut: cut.length,
      back: back.length,
      p50Ms: delays.percentile(50),
      p99Ms: delays.percentile(99),
      lastMs: delays.max,
      attempts: connections / Math.max(1, back.length),
      mapsResumed: this.#maps.filter(({ told }) => told.wholes === 0 && told.deltas > 0).length,
      mapsWhole: this.#maps.filter(({ told }) => told.wholes > 0).length,
    }
  }

  judge({ admittedAtMs, perSecond }: StormCalls['judge']['asked']): StormJudgement {
    const run = { admittedAtMs, perSecond }
    const right = this.#places.filter(
      ({ toldFirst }, waiter) => toldFirst !== undefined && isRightPosition(run, { waiter, ...toldFirst }),
    ).length
    return { right, wrong: this.#places.length - right }
  }

  comparePositions({ inLine }: StormCalls['comparePositions']['asked']): { different: number } {
    const positions = new Map(this.#places.map(({ accountId, told }) => [accountId, told?.position]))
    return { different: inLine.filter((accountId, index) => positions.get(accountId) !== index + 1).length }
  }

  async compareMaps({
    snapshot,
    seconds,
  }: StormCalls['compareMaps']['asked']): Promise<{ different: number }> {
    const expected = new UnitMap()
    expected.replace(snapshot)
    const endMs = Date.now() + seconds * 1000
    const isElsewhere = ({ map }: MapInterest): boolean => map.position !== expected.position
    while (this.#maps.some(isElsewhere) && Date.now() < endMs) await wait(lookMs)
    const isDifferent = (one: MapInterest): boolean =>
      isElsewhere(one) || Buffer.compare(one.map.seats, expected.seats) !== 0
    return { different: this.#maps.filter(isDifferent).length }
  }

  async untilAdmitted({ seconds }: StormCalls['admittedAll']['asked']): Promise<StormHeard> {
    const endMs = Date.now() + seconds * 1000
    const isOut = ({ admissions }: PlaceInterest): boolean => admissions.size === 0
    while (this.#places.some(isOut) && Date.now() < endMs) await wait(100)
    return {
      admitted: this.#places.filter((place) => !isOut(place)).length,
      admittedTwice: this.#places.filter(({ admissions }) => admissions.size > 1).length,
      absent: this.#places.filter(({ absences }) => absences > 0).length,
      gaps: this.#maps.reduce((sum, { gaps }) => sum + gaps, 0),
    }
  }

  leave(): void {
    for (const person of this.#people) person.leave()
    this.#people = []
  }
}
