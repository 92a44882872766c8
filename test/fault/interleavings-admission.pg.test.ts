import { mock } from 'node:test'
import fc from 'fast-check'
import { Subject } from 'rxjs'
import t from 'tap'
import { OneRedis } from '../../src/db/one-redis.ts'
import { beat } from '../../src/domain/processes/process-store.ts'
import { saleKeys } from '../../src/domain/sale-state/sale-keys.ts'
import { SaleState } from '../../src/domain/sale-state/sale-state.ts'
import { SaleCatalogue, saleSource } from '../../src/domain/sales/sale-catalogue.ts'
import { Admission } from '../../src/streams/admission.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { useHouse } from '../support/house.ts'
import { callFate, Calls, explore, Turns, type CallFate } from '../support/interleaving.ts'
import { makeSale } from '../support/sales.ts'
import { makePeople, slots } from '../support/shop.ts'
import { unhurriedClock } from '../support/unhurried.ts'
import { until } from '../support/until.ts'

/*
 * The gate and its loop in two processes on real stores: ticks, freed places, new settings, leases that end and
 * processes that are replaced, with every call and every answer at a moment of the scheduler's choice.
 */

const house = await useHouse(t)
const { sql, redis, queue, log } = house
const one = new OneRedis(redis, unhurriedClock)
await until('it is known who answers', () => one.isKnown)
const people = await makePeople(sql, 5)

const tokenTtlSeconds = 30
const processIds = ['prc_a', 'prc_b'] as const
/** The widest settings there are in a run. */
const [rateMax, activeMax] = [600, 3]

/** One sale, and what has to be true of it whatever happens. */
class Stage {
  readonly turns: Turns
  readonly saleId: string
  /** Of what the processes remember of the sale. */
  readonly clock = new FakeClock()
  readonly wake$ = new Subject<string>()
  /** Calls of a gate that are under way, by its fence. */
  readonly #calling = new Set<number>()

  private constructor(turns: Turns, saleId: string) {
    this.turns = turns
    this.saleId = saleId
  }

  static async begin(turns: Turns, queueSettings: Readonly<Record<string, number>>): Promise<Stage> {
    await sql`update sales set status = 'closed' where status <> 'closed'`
    await sql`update sale_writers set lease_owner = null, lease_until = null`
    for (const id of processIds) await beat(sql, { id, roles: ['admission'] })
    const sale = await makeSale(sql, {
      changes: { ...slots(4), queue: { tokenTtlSeconds, ...queueSettings } },
    })
    return new Stage(turns, sale.id)
  }

  /** The state as a process has it, whose every call is looked at. */
  watched(state: SaleState, mayCall: () => void): SaleState {
    const run = async (...[script, saleId, args]: Parameters<SaleState['run']>) => {
      mayCall()
      const { fence, granted } = args as { fence: number; granted?: string }
      if (this.#calling.has(fence)) throw new Error(`the gate ${fence} does two things at once`)
      this.#calling.add(fence)
      try {
        if (granted !== undefined)
          await this.turns.real(() => this.#mustBeDurable(JSON.parse(granted) as string[]))
        return await state.run(script, saleId, args)
      } finally {
        this.#calling.delete(fence)
      }
    }
    return new Proxy(state, {
      get: (target, name) => {
        if (name === 'run') return run
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }

  async join(accountId: string): Promise<void> {
    // Refused while the line is being put back: they come again.
    await queue.join(this.saleId, accountId).catch(() => {})
  }

  async leave(accountId: string): Promise<void> {
    await queue.leave(this.saleId, accountId).catch(() => {})
    this.wake$.next('leave')
  }

  async set({ rate, maxActive }: { rate: number; maxActive: number }): Promise<void> {
    await sql`
      update sales set rate_per_minute = ${rate}, max_active = ${maxActive}, version = version + 1
      where id = ${this.saleId}`
  }

  /** Whoever wrote to the sale has no lease any more, and does not know it. */
  async endLease(): Promise<void> {
    await sql`update sale_writers set lease_until = clock_timestamp() - interval '1 s' where sale_id = ${this.saleId}`
  }

  async forget(): Promise<void> {
    const keys = saleKeys(this.saleId)
    const offsetMs = await redis.hget(keys.state, 'offset_ms')
    await redis
      .multi()
      .unlink(Object.values(keys) as string[])
      .hset(keys.state, 'offset_ms', offsetMs ?? '0')
      .exec()
  }

  async neverIn(): Promise<string[]> {
    const rows = await sql<
      { id: string }[]
    >`select distinct account_id as id from admissions where sale_id = ${this.saleId}`
    return people.filter((accountId) => !rows.some(({ id }) => id === accountId))
  }

  /** What PostgreSQL has of it: never more inside than may be, and no minute above the pace. */
  async mustHaveKept(): Promise<void> {
    const rows = await sql<{ at: Date; expires: Date; closed: Date | null }[]>`
      select admitted_at as at, expires_at as expires, closed_at as closed from admissions where sale_id = ${this.saleId}`
    const all = rows.map(({ at, expires, closed }) => ({
      atMs: at.getTime(),
      endMs: Math.min(expires.getTime(), closed?.getTime() ?? Infinity),
    }))
    for (const { atMs } of all) {
      const inside = all.filter((one) => one.atMs <= atMs && one.endMs > atMs).length
      if (inside > activeMax) throw new Error(`${inside} are in at once`)
      const minute = all.filter((one) => one.atMs >= atMs && one.atMs < atMs + 60_000).length
      if (minute > rateMax) throw new Error(`${minute} were let in within a minute`)
    }
  }

  /** Nothing is begun and left, and Redis goes by the newest settings and has nobody in of whom PostgreSQL has nothing. */
  async mustBeSettled(): Promise<void> {
    const keys = saleKeys(this.saleId)
    const [granting, closing, active, version] = await Promise.all([
      redis.hkeys(keys.granting),
      redis.hkeys(keys.closing),
      redis.hgetall(keys.active),
      redis.hget(keys.state, 'version'),
    ])
    if (granting.length + closing.length > 0)
      throw new Error(`left: ${granting.join()} and ${closing.join()}`)
    const [sale] = await sql<{ version: number }[]>`select version from sales where id = ${this.saleId}`
    if (String(sale?.version) !== version) throw new Error(`version ${version} instead of ${sale?.version}`)
    const open = await sql<{ id: string; sequence: number }[]>`
      select account_id as id, sequence from admissions where sale_id = ${this.saleId} and closed_at is null`
    const names = open.map(({ id, sequence }) => `${id} ${sequence}`).toSorted()
    const inside = Object.entries(active).map(([id, record]) => `${id} ${record.split(':')[0]}`)
    if (names.join() !== inside.toSorted().join())
      throw new Error(`open ${names.join()}, in ${inside.join()}`)
  }

  async #mustBeDurable(accountIds: readonly string[]): Promise<void> {
    for (const accountId of accountIds) {
      const record = await redis.hget(saleKeys(this.saleId).granting, accountId)
      if (record === null) continue
      const rows = await sql`
        select 1 from admissions
        where sale_id = ${this.saleId} and account_id = ${accountId} and sequence = ${Number(record.split(':')[0])}`
      if (rows.length === 0) throw new Error(`${accountId} is told before it is durable`)
    }
  }
}

/** A process with the role `admission`, and the way to its stores. */
class Process {
  readonly catalogue: SaleCatalogue
  readonly calls: Calls
  readonly admission: Admission
  readonly broken: unknown[] = []
  #isStopped = false

  constructor(stage: Stage, id: string, fates: readonly CallFate[]) {
    const { turns } = stage
    // Who gained a lease and never learnt of it, or could not give it up, would be waited for until it ends.
    this.calls = new Calls(turns, fates, (label) => !/into sale_writers|set lease_owner/.test(label))
    const ownSql = this.calls.sql(sql)
    this.catalogue = new SaleCatalogue({ source: saleSource(ownSql), clock: stage.clock })
    const mayCall = () => {
      if (this.#isStopped) this.broken.push(new Error(`${id} has stopped, and goes on`))
    }
    this.admission = new Admission({
      sql: ownSql,
      state: stage.watched(
        new SaleState({ of: () => ({ commands: this.calls.redis(redis), runId: one.runId }) }),
        mayCall,
      ),
      catalogue: this.catalogue,
      broker: { channel: () => stage.wake$ } as never,
      processId: id,
      clock: stage.clock,
      mustReachRedis: () => Promise.resolve(),
      log: {
        ...log,
        info: () => {},
        error: (what: unknown) => this.broken.push(what),
        warn: (what: object) => this.#note(what),
      } as never,
      tickMs: 100,
      restoreMs: 0,
      replay: (saleId, after) => turns.real(() => house.sync.replay(saleId, after)),
      announceEpoch: () => {},
      sweep: () => turns.turn('holds are swept'),
      onReport: mayCall,
    })
    void this.admission.run()
  }

  async stop(): Promise<void> {
    await this.admission.stop()
    this.#isStopped = true
  }

  /** What goes wrong is said to the log: a lost call is no fault, a broken rule is. */
  #note({ err }: { err?: Error }): void {
    if (err !== undefined && /at once|durable/.test(err.message)) this.broken.push(err)
  }
}

const settings = fc.record({
  rate: fc.constantFrom(60, rateMax),
  maxActive: fc.integer({ min: 1, max: activeMax }),
})
const [who, account] = [fc.nat(1), fc.nat(people.length - 1)]
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'tick' } as const) },
  { weight: 3, arbitrary: fc.constant({ kind: 'round of leases' } as const) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), account }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), account }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('time passes' as const),
      ms: fc.constantFrom(500, 1000, 5000, 31_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settings' as const), settings }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'the lease ends' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replaced' as const), who }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'Redis forgets' } as const) },
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

/** Two processes of which one at a time is the writer. */
class Pair {
  readonly #stage: Stage
  readonly #present: Process[]
  readonly #all: Process[]
  readonly #stopping: Promise<void>[] = []

  constructor(stage: Stage, fates: readonly CallFate[]) {
    this.#stage = stage
    this.#present = processIds.map((id, index) => new Process(stage, id, index === 0 ? fates : []))
    this.#all = [...this.#present]
  }

  do(one: Step): unknown {
    const stage = this.#stage
    switch (one.kind) {
      case 'tick':
        return mock.timers.tick(100)
      case 'round of leases':
        return mock.timers.tick(500)
      case 'join':
        return stage.join(people[one.account] ?? '')
      case 'leave':
        return stage.leave(people[one.account] ?? '')
      case 'time passes':
        return house.passMs(stage.saleId, one.ms)
      case 'settings':
        return stage.set(one.settings).then(() => this.#forgetSale())
      case 'the lease ends':
        return stage.endLease()
      case 'replaced':
        return this.#replace(one.who)
      case 'Redis forgets':
        return stage.forget()
    }
  }

  heal(): void {
    for (const { calls } of this.#all) calls.heal()
  }

  async stop(): Promise<void> {
    this.#stopping.push(...this.#present.map((one) => one.stop()))
    await Promise.all(this.#stopping)
  }

  mustBeWhole(): void {
    for (const fault of this.#all.flatMap(({ broken }) => broken))
      throw fault instanceof Error ? fault : new Error(JSON.stringify(fault))
  }

  #forgetSale(): void {
    for (const { catalogue } of this.#present) catalogue.forget(this.#stage.saleId)
  }

  #replace(index: number): void {
    const old = this.#present[index]
    if (old !== undefined) this.#stopping.push(old.stop())
    const fresh = new Process(this.#stage, processIds[index] ?? '', [])
    this.#present[index] = fresh
    this.#all.push(fresh)
  }
}

t.beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
t.afterEach(() => mock.timers.reset())

t.test(
  'whatever the order, the gate keeps its limits, tells only what is durable, and forgets nobody',
  async (t) => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(step, { minLength: 5, maxLength: 24 }),
      fc.array(callFate, { maxLength: 10 }),
      async (scheduler, steps, fates) => {
        const turns = new Turns(scheduler)
        const stage = await Stage.begin(turns, { ratePerMinute: 60, maxActive: 2 })
        const pair = new Pair(stage, fates)
        const isDone = turns.inOrder(steps.map((one) => [one.kind, () => pair.do(one)]))
        await turns.play()
        await isDone
        pair.heal()
        let missing = people
        for (let round = 0; round < 12 && missing.length > 0; round++) {
          await house.passMs(stage.saleId, 31_000)
          mock.timers.tick(500)
          await turns.play()
          for (const accountId of missing) await stage.join(accountId)
          missing = await stage.neverIn()
        }
        if (missing.length > 0) throw new Error(`${missing.length} were never let in`)
        for (let more = 0; more < 2; more++) {
          mock.timers.tick(500)
          await turns.play()
        }
        await stage.mustBeSettled()
        await stage.mustHaveKept()
        const stopped = pair.stop()
        await turns.play()
        await stopped
        mock.timers.tick(1000)
        stage.wake$.next('late')
        await turns.play()
        pair.mustBeWhole()
      },
    )
    await explore(t, 30, property)
  },
)

t.test('a place that becomes free while a tick is under way is given without another tick', async (t) => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(account, { minLength: 1, maxLength: 4 }),
    async (scheduler, leaving) => {
      const turns = new Turns(scheduler)
      const stage = await Stage.begin(turns, { ratePerMinute: 60_000, maxActive: 2 })
      const process = new Process(stage, 'prc_a', [])
      await turns.play()
      mock.timers.tick(100)
      await turns.play()
      for (const accountId of people) await stage.join(accountId)
      await house.passMs(stage.saleId, 1000)
      mock.timers.tick(100)
      const isDone = turns.inOrder(leaving.map((index) => ['leave', () => stage.leave(people[index] ?? '')]))
      await turns.play()
      await isDone
      const { places } = await queue.standing(stage.saleId, people)
      const inside = places.filter(({ state }) => state === 'admitted').length
      const here = places.filter(({ state }) => state !== 'absent').length
      if (inside !== Math.min(2, here)) throw new Error(`${inside} of ${here} are in`)
      await stage.mustBeSettled()
      const stopped = process.stop()
      await turns.play()
      await stopped
      for (const fault of process.broken) throw fault as Error
    },
  )
  await explore(t, 30, property)
})
