import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import type { Guest } from './guests.ts'
import { HttpConnection } from './http-connection.ts'
import type { RushAsked, RushHeard } from './rush-calls.ts'
import { RushSchedule } from './rush-schedule.ts'
import { RushTally } from './rush-tally.ts'
import { RushVisit } from './rush-visit.ts'

/** A user who is there, with a connection that is opened by the first request. */
interface User {
  readonly visit: RushVisit
  connection: HttpConnection | undefined
  isBusy: boolean
}

/** So many users are looked at for one who waits for nothing, before a request that is due is put off. */
const looksMax = 200
const patienceSeconds = 5

/**
 * A crowd of users with a connection and an account each, whose requests are due at set times. Whoever is still waiting
 * for an answer lets another one ask; where all wait, what is due stays due, and its wait counts.
 */
export class Rush {
  readonly #asked: RushAsked
  readonly #schedule: RushSchedule
  readonly #tally = new RushTally()
  readonly #users: readonly User[]
  #startMs = 0
  #turn = 0
  #sent = 0
  #underWay = 0

  constructor(guests: readonly Guest[], asked: RushAsked) {
    this.#asked = asked
    this.#schedule = new RushSchedule(asked.stages, asked.perSecond)
    this.#users = guests.map((guest, number) => ({
      visit: new RushVisit(guest, number, asked),
      connection: undefined,
      isBusy: false,
    }))
  }

  async run(): Promise<RushHeard> {
    this.#startMs = performance.now()
    let due = 0
    let nextLeavesSeconds = this.#asked.stages.up + this.#asked.stages.hold
    while (due < this.#schedule.total) {
      const nowSeconds = this.#seconds()
      for (; due < this.#schedule.total && this.#schedule.dueAt(due) <= nowSeconds; due++) {
        const user = this.#idleUser(nowSeconds)
        if (user === undefined) break
        void this.#send(user, this.#schedule.dueAt(due))
      }
      if (nowSeconds >= nextLeavesSeconds) {
        this.#sendAway(nowSeconds)
        nextLeavesSeconds = nowSeconds + 0.1
      }
      if (nowSeconds > this.#schedule.seconds + patienceSeconds) break
      await wait(1)
    }
    for (let looks = 0; this.#underWay > 0 && looks < patienceSeconds * 100; looks++) await wait(10)
    for (let left = this.#schedule.total - due + this.#underWay; left > 0; left--)
      this.#tally.error('not answered in time')
    for (const { connection } of this.#users) connection?.close()
    return this.#tally.heard(this.#sent, this.#asked.stages.hold)
  }

  #seconds(): number {
    return (performance.now() - this.#startMs) / 1000
  }

  /** Everybody's turn comes in the same order. */
  #idleUser(nowSeconds: number): User | undefined {
    const there = Math.max(1, this.#there(nowSeconds))
    for (let looks = 0; looks < Math.min(there, looksMax); looks++) {
      this.#turn = (this.#turn + 1) % there
      const user = this.#users[this.#turn]
      if (user?.isBusy === false) return user
    }
    return undefined
  }

  #there(nowSeconds: number): number {
    return Math.ceil(this.#schedule.shareAt(nowSeconds) * this.#users.length)
  }

  async #send(user: User, dueSeconds: number): Promise<void> {
    const { visit } = user
    user.isBusy = true
    this.#underWay += 1
    this.#sent += 1
    const request = visit.next()
    try {
      user.connection ??= await HttpConnection.open(this.#asked.port)
      const answer = await user.connection.send(request.text)
      const nowSeconds = this.#seconds()
      this.#tally.latency(request.step, {
        dueSeconds,
        tookMs: (nowSeconds - dueSeconds) * 1000,
        wasDueOnPlateau: this.#schedule.isPlateau(dueSeconds),
      })
      const isPlateau = this.#schedule.isPlateau(nowSeconds)
      this.#tally.answer(request, answer, { account: visit.guest.id, isPlateau })
      const isApplying = request.step === 'standing' || answer.status === 409
      visit.heard(request.step, answer.status, isApplying ? answer.body() : '')
    } catch (error) {
      this.#tally.error(`${request.step}: ${String(error)}`)
      user.connection?.close()
      user.connection = undefined
    }
    user.isBusy = false
    this.#underWay -= 1
  }

  /** In the order in which they came, the last first, they leave. */
  #sendAway(nowSeconds: number): void {
    for (let index = this.#users.length - 1; index >= this.#there(nowSeconds); index--) {
      const user = this.#users[index]
      if (user === undefined || user.isBusy || user.connection === undefined) continue
      user.connection.close()
      user.connection = undefined
    }
  }
}
