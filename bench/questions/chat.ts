import { cpuMicrosOf } from '../measure/cpu-time.ts'
import { HelperProcess } from '../stage/helper-process.ts'
import type { BarePublishCalls } from '../limits/bare-publish-calls.ts'
import type { ChatTold, LoadCalls } from '../load/load-calls.ts'
import { residentBytesOf } from '../measure/memory-use.ts'
import { connectionsMax, defineQuestion, turnOptions } from '../question.ts'
import { rowOf } from '../measure/rows.ts'
import type { Stage } from '../stage/stage.ts'
import {
  check,
  coresOf,
  figureOf,
  metered,
  shares,
  sideOf,
  type Check,
  type Figure,
  type Findings,
  type Turn,
  type Window,
} from '../measure/turn.ts'

/** How long the last member may take to hear the last message. */
const patienceSeconds = 20

type Crowd = HelperProcess<LoadCalls>

const chatOptions = {
  ...turnOptions({ seconds: [5, 8], rounds: [1, 3] }),
  conns: { about: 'connections of those who talk over HTTP', quick: 256, full: 256, least: 1, most: 2_000 },
  accounts: {
    about: 'buyers, and those who talk in many rooms',
    quick: 10_000,
    full: 20_000,
    least: 2,
    most: 45_000,
  },
  members: { about: 'members of the full room', quick: 10_000, full: 10_000, least: 2, most: connectionsMax },
  messages: { about: 'messages a second in it', quick: 50, full: 50, least: 1, most: 2_000 },
  rooms: { about: 'rooms in which many talk at once', quick: 100, full: 500, least: 1, most: 10_000 },
}

export const chat = defineQuestion({
  name: 'chat',
  about: 'how soon everybody in a full room hears what is said there',
  options: chatOptions,
  ask: async (bench, options) => await askChat(await bench.open(options), options),
})

type Options = Readonly<Record<keyof typeof chatOptions, number>>

/**
 * How soon does everybody in a full room hear what is said there, and what does it cost, against the web server publishing
 * the same bytes at the same times? And how many messages a second are written, said in many rooms?
 */
async function askChat(stage: Stage, options: Options): Promise<Findings> {
  const limit = new HelperProcess<BarePublishCalls>(new URL('../limits/bare-publish.ts', import.meta.url))
  const limitCrowd: Crowd = new HelperProcess(new URL('../load/load-program.ts', import.meta.url))
  try {
    return await new ChatQuestion(stage, options, { limit, limitCrowd }).ask()
  } finally {
    await limitCrowd.stop()
    await limit.stop()
  }
}

interface OurTurn {
  readonly turn: Turn
  readonly told: ChatTold
  readonly cores: number
  /** Microseconds of the server for each message, whoever is told it. */
  readonly perMessage: number
}

class ChatQuestion {
  readonly #stage: Stage
  readonly #options: Options
  readonly #limit: HelperProcess<BarePublishCalls>
  readonly #limitCrowd: Crowd
  readonly #windows: Window[] = []
  readonly #figures: Figure[] = []
  readonly #checks: Check[] = []

  constructor(
    stage: Stage,
    options: Options,
    { limit, limitCrowd }: { limit: HelperProcess<BarePublishCalls>; limitCrowd: Crowd },
  ) {
    this.#stage = stage
    this.#options = options
    this.#limit = limit
    this.#limitCrowd = limitCrowd
  }

  async ask(): Promise<Findings> {
    const { load, server } = this.#stage
    const { rounds, seconds, members } = this.#options
    const store = await this.#newStore()
    const before = residentBytesOf(server.pid)
    await load.ask('joinChat', { port: server.port, store, members })
    const bytes = (residentBytesOf(server.pid) - before) / members
    const { port } = await this.#limit.ask('listen', undefined)
    await this.#limit.ask('tell', { text: joinedText(store, 0) })
    await this.#limitCrowd.ask('joinChat', { port, store, members })
    const warmUp = await this.#ours('warm-up', store, Math.min(2, seconds))
    await this.#theirs('warm-up of the limit', store, warmUp)
    const [ours, limit]: [OurTurn[], Turn[]] = [[], []]
    for (let round = 1; round <= rounds; round++) {
      const our = await this.#ours(`room ${round}`, store, seconds)
      ours.push(our)
      limit.push(await this.#theirs(`limit ${round}`, store, our))
    }
    await load.ask('leaveChat', undefined)
    this.#figures.push(figureOf('memory of the server for a member', 'bytes', [bytes]))
    this.#tellFigures(ours)
    const many = await this.#inManyRooms()
    const turns = ours.map(({ turn }) => turn)
    const cpu = (some: readonly Turn[]) => some.map((turn) => turn.cpuMicros['server'] ?? Number.NaN)
    return {
      sides: [
        sideOf('openrun, one room', turns),
        sideOf('bare publishing', limit),
        sideOf('openrun, many rooms', many),
      ],
      rows: [
        rowOf({
          metric: 'server CPU for a frame to a member',
          unit: 'µs',
          ours: cpu(turns),
          limit: cpu(limit),
          goal: { of: 'limit', most: 1.2 },
        }),
        rowOf({
          metric: 'said to heard by the last member, p99',
          unit: 'ms',
          ours: ours.map(({ told }) => told.last.p99Ms),
          limit: limit.map(({ p99Ms }) => p99Ms),
          goal: { of: 'ours', most: 150 },
        }),
      ],
      figures: this.#figures,
      checks: this.#checks,
      windows: this.#windows,
    }
  }

  async #newStore(): Promise<string> {
    const { port, organiserKey } = this.#stage.server
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/stores`, {
      method: 'POST',
      headers: { authorization: `Bearer ${organiserKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'Bench',
        description: '',
        category: 'other',
        address: 'A street',
        latitude: 37.5,
        longitude: 127,
        opensAt: new Date(Date.now() - 60_000).toISOString(),
        closesAt: new Date(Date.now() + 86_400_000).toISOString(),
      }),
    })
    const { id } = (await response.json()) as { id?: string }
    if (id === undefined) throw new Error(`no store could be made: ${response.status}`)
    return id
  }

  async #lastSeq(store: string): Promise<number> {
    const [room] = await this.#stage.sql<{ seq: number }[]>`
      select last_seq as seq from chat_rooms where store_id = ${store}`
    return room?.seq ?? 0
  }

  #meters(serverPid: number, loadPid: number) {
    const { redis } = this.#stage.stores
    return {
      server: () => cpuMicrosOf(serverPid),
      load: () => cpuMicrosOf(loadPid),
      redis: () => cpuMicrosOf(redis?.pid ?? 0),
    }
  }

  async #ours(name: string, store: string, seconds: number): Promise<OurTurn> {
    const { load, server } = this.#stage
    const { messages: perSecond, members } = this.#options
    const count = Math.ceil(seconds * perSecond)
    const before = await this.#lastSeq(store)
    await load.ask('beginChat', undefined)
    const { result, usedMicros, ...window } = await metered(this.#meters(server.pid, load.pid), async () => {
      const { written } = await load.ask('talkChat', { count, perSecond })
      const position = `1:${await this.#lastSeq(store)}`
      return { written, ...(await load.ask('chatReached', { position, seconds: patienceSeconds })) }
    })
    this.#windows.push({ ...window, name: 'chat' })
    const told = await load.ask('chatTold', {})
    this.#checks.push(
      check(`${name}: members who have not heard the last message`, 0, result.elsewhere),
      check(`${name}: messages that were answered`, count, result.written),
      check(`${name}: messages on disk`, count, (await this.#lastSeq(store)) - before),
      check(`${name}: messages told`, count * members, told.messages),
      check(`${name}: frames that did not follow`, 0, told.gaps),
      check(`${name}: connections cut off`, 0, told.cutOff),
    )
    const perSecondTold = told.receipts / seconds
    return {
      turn: { perSecond: perSecondTold, ...told.each, cpuMicros: shares(usedMicros, told.receipts) },
      told,
      cores: coresOf(usedMicros['server'], window),
      perMessage: (usedMicros['server'] ?? Number.NaN) / count,
    }
  }

  /** The frames of a turn of ours, told once more by the limit. */
  async #theirs(name: string, store: string, { told: { frames, messagesOf } }: OurTurn): Promise<Turn> {
    const [first, last] = [frames[0], frames.at(-1)]
    if (first === undefined || last === undefined) throw new Error('nothing was told')
    await this.#limit.ask('tell', { text: joinedText(store, first.prev) })
    await this.#limitCrowd.ask('chatReached', { position: `1:${first.prev}`, seconds: patienceSeconds })
    await this.#limitCrowd.ask('beginChat', undefined)
    const play = frames.map(({ text, atMicros }) => ({ text, afterMicros: atMicros - first.atMicros }))
    const { result: atMicros, usedMicros } = await metered(
      this.#meters(this.#limit.pid, this.#limitCrowd.pid),
      async () => {
        const played = await this.#limit.ask('play', { frames: play })
        await this.#limitCrowd.ask('chatReached', { position: last.id, seconds: patienceSeconds })
        return played.atMicros
      },
    )
    const saidAtMicros: number[] = []
    for (const [index, messages] of messagesOf.entries())
      for (const message of messages) saidAtMicros[message] = atMicros[index] ?? Number.NaN
    const told = await this.#limitCrowd.ask('chatTold', { saidAtMicros })
    this.#checks.push(
      check(`${name}: frames told`, frames.length * this.#options.members, told.receipts),
      check(`${name}: frames that did not follow`, 0, told.gaps),
    )
    const seconds = Math.max(1, last.atMicros - first.atMicros) / 1e6
    return { perSecond: told.receipts / seconds, ...told.each, cpuMicros: shares(usedMicros, told.receipts) }
  }

  #tellFigures(turns: readonly OurTurn[]): void {
    const of = (pick: (turn: OurTurn) => number) => turns.map(pick)
    const { seconds } = this.#options
    this.#figures.push(
      figureOf(
        'frames a second',
        'to each',
        of(({ told }) => told.frames.length / seconds),
      ),
      figureOf(
        'server',
        'cores',
        of(({ cores }) => cores),
      ),
      figureOf(
        'server for a message to the whole room',
        'µs',
        of(({ perMessage }) => perMessage),
      ),
      figureOf(
        'the last member of a message, p50',
        'ms',
        of(({ told }) => told.last.p50Ms),
      ),
      figureOf(
        'the last member of a message, p99',
        'ms',
        of(({ told }) => told.last.p99Ms),
      ),
    )
  }

  async #inManyRooms(): Promise<Turn[]> {
    const { load, server, sql } = this.#stage
    const { rounds, seconds, rooms, conns, accounts } = this.#options
    const stores: string[] = []
    while (stores.length < rooms)
      stores.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(50, rooms - stores.length) }, () => this.#newStore()),
        )),
      )
    const turns: Turn[] = []
    for (let round = 0; round <= rounds; round++) {
      const before = await this.#entries()
      // The first round warms up: in it each account becomes a member, and its token known.
      const length = round === 0 ? { seconds: 120, count: accounts } : { seconds }
      const asked = { port: server.port, connections: conns, stores, round, ...length }
      const meters = this.#meters(server.pid, load.pid)
      const { result, usedMicros, ...window } = await metered(meters, () => load.ask('talkInRooms', asked))
      const written = result.statuses['201'] ?? 0
      this.#checks.push(
        check(`many rooms ${round}: messages that were refused`, 0, result.done - written),
        check(`many rooms ${round}: messages on disk`, written, (await this.#entries()) - before),
      )
      if (round === 0) continue
      this.#windows.push({ ...window, name: 'chat, many rooms' })
      const { perSecond, p50Ms, p99Ms } = result
      turns.push({ perSecond, p50Ms, p99Ms, cpuMicros: shares(usedMicros, result.done) })
    }
    const [gaps] = await sql<{ rooms: number }[]>`
      select count(*)::int as rooms from chat_rooms r
      where last_seq <> (select count(*) from chat_entries e where e.store_id = r.store_id)`
    this.#checks.push(check('rooms whose numbers have a gap', 0, gaps?.rooms ?? -1))
    return turns
  }

  async #entries(): Promise<number> {
    const [row] = await this.#stage.sql<{ count: number }[]>`
      select coalesce(sum(last_seq), 0)::int as count from chat_rooms`
    return row?.count ?? 0
  }
}

/** As our server tells it over a WebSocket, of a room in which nothing was said since. */
function joinedText(store: string, seq: number): string {
  const room = {
    epoch: 1,
    seq,
    members: 1,
    me: null,
    entries: [],
    pinned: null,
    slowSeconds: 0,
    closed: false,
  }
  return JSON.stringify({ ch: `chat:${store}`, type: 'joined', id: `1:${seq}`, data: room })
}
