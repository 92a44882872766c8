import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { FakeOpenrun, problem } from '../../test/support/fake-openrun.ts'
import { SwiftTime } from '../../test/support/swift-time.ts'
import { until } from '../../test/support/until.ts'
import { packSeats } from '../domain/units/seat-bits.ts'
import { OpenrunClient } from './openrun-client.ts'
import type { UnitMap } from './unit-map.ts'
import type { Transport } from './waiting.ts'

const sale = 'sal_0a1b2c3d4e5f6g7h8i9j'

/** A map over one of the transports, whose server end the test holds in its hands. */
class Told {
  readonly #fake: FakeOpenrun
  readonly #transport: Transport
  readonly #streams: ServerResponse[] = []
  /** What each connection asked to go on after. */
  readonly asked: (string | undefined)[] = []
  map: UnitMap | undefined
  ending: unknown

  private constructor(fake: FakeOpenrun, transport: Transport) {
    this.#fake = fake
    this.#transport = transport
  }

  static async open(t: Test, transport: Transport): Promise<Told> {
    const told = new Told(await FakeOpenrun.start(t), transport)
    const fake = told.#fake
    fake.reply = ({ headers }) => {
      told.asked.push(headers['last-event-id'] as string | undefined)
      return (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
        told.#streams.push(response)
      }
    }
    fake.onFrame = ({ op, ref, since }, socket) => {
      if (op !== 'subscribe') return
      told.asked.push(since as string | undefined)
      socket.send(JSON.stringify({ ref, ok: true }))
    }
    const time = new SwiftTime()
    const client = new OpenrunClient({ baseUrl: fake.url, time, random: () => 0, WebSocket })
    const subscription = client.unitMap({ sale, transport }).subscribe({
      next: (map) => (told.map = map),
      error: (error: unknown) => (told.ending = error),
      complete: () => (told.ending = 'complete'),
    })
    t.teardown(() => subscription.unsubscribe())
    await told.isAsked(1)
    return told
  }

  isAsked(count: number): Promise<void> {
    return until(`connection ${count}`, () => this.asked.length === count)
  }

  isAt(position: string): Promise<void> {
    return until(position, () => this.map?.position === position)
  }

  snapshot(epoch: number, seq: number, more: { seats?: number[]; pools?: Record<string, number> }): void {
    const seats = packSeats(Uint8Array.from(more.seats ?? []))
    this.tell('snapshot', `${epoch}:${seq}`, { epoch, seq, seats, pools: more.pools ?? {} })
  }

  delta(id: string, prev: number, changes: [number, number][], pools: Record<string, number> = {}): void {
    this.tell('delta', id, { prev, seq: Number(id.split(':')[1]), changes, pools })
  }

  tell(type: string, id: string, data: unknown): void {
    const json = JSON.stringify(data)
    if (this.#transport === 'sse') {
      this.#streams.at(-1)?.write(`event: ${type}\nid: ${id}\ndata: ${json}\n\n`)
    } else this.#fake.sockets.at(-1)?.send(JSON.stringify({ ch: `units:${sale}`, type, id, data }))
  }

  cut(): void {
    if (this.#transport === 'sse') this.#streams.at(-1)?.destroy()
    else this.#fake.sockets.at(-1)?.terminate()
  }

  refuse(): void {
    const closed = problem(410, 'sale_closed')
    this.#fake.reply = () => ({ status: 410, body: closed })
    this.#fake.onFrame = ({ ref }, socket) => socket.send(JSON.stringify({ ref, error: closed }))
    this.cut()
  }
}

for (const transport of ['sse', 'ws'] as const) {
  t.test(`over ${transport}`, async (t) => {
    t.test('a map is what the snapshot says and what follows', async (t) => {
      const told = await Told.open(t, transport)
      t.same(told.asked, [undefined])
      told.snapshot(3, 7, { seats: [0, 1, 2, 0, 2] })
      await told.isAt('3:7')
      t.same([...(told.map?.seats ?? [])], [0, 1, 2, 0, 2, 0, 0, 0])
      told.delta('3:9', 7, [
        [0, 1],
        [4, 0],
      ])
      await told.isAt('3:9')
      t.same([...(told.map?.seats ?? [])], [1, 1, 2, 0, 0, 0, 0, 0])
    })

    t.test('free places of slots are counted by their codes', async (t) => {
      const told = await Told.open(t, transport)
      told.snapshot(1, 1, { pools: { a: 3, b: 2 } })
      told.delta('1:2', 1, [], { b: 0 })
      await told.isAt('1:2')
      t.same(Object.fromEntries(told.map?.pools ?? []), { a: 3, b: 0 })
    })

    t.test('after a cut it goes on where it was', async (t) => {
      const told = await Told.open(t, transport)
      told.snapshot(1, 1, { seats: [0, 0] })
      await told.isAt('1:1')
      told.cut()
      await told.isAsked(2)
      t.equal(told.asked[1], '1:1')
      told.delta('1:4', 1, [[1, 2]])
      await told.isAt('1:4')
      t.equal(told.map?.seats[1], 2)
    })

    t.test('what does not follow is not applied but asked for', async (t) => {
      const told = await Told.open(t, transport)
      told.snapshot(1, 1, { seats: [0, 0] })
      await told.isAt('1:1')
      told.delta('1:3', 2, [[1, 2]])
      await told.isAsked(2)
      t.same([told.asked[1], told.map?.position, told.map?.seats[1]], ['1:1', '1:1', 0])
      // Of another epoch, though its numbers would follow.
      told.delta('2:2', 1, [[1, 2]])
      await told.isAsked(3)
      t.same([told.asked[2], told.map?.seats[1]], ['1:1', 0])
      told.snapshot(2, 2, { seats: [2, 0] })
      await told.isAt('2:2')
      t.same([...(told.map?.seats ?? [])], [2, 0, 0, 0])
    })

    t.test('what is heard twice, and what is not understood, changes nothing', async (t) => {
      const told = await Told.open(t, transport)
      told.snapshot(1, 1, { seats: [0, 0] })
      told.delta('1:2', 1, [[0, 1]])
      told.delta('1:3', 2, [[0, 2]])
      told.delta('1:2', 1, [[0, 1]])
      told.tell('weather', '1:3', { fine: true })
      told.tell('delta', '1:4', { prev: 'three' })
      told.delta('1:4', 3, [])
      await told.isAt('1:4')
      t.equal(told.map?.seats[0], 2)
      t.equal(told.asked.length, 1)
    })

    t.test('the map of a sale that has closed ends', async (t) => {
      const told = await Told.open(t, transport)
      told.refuse()
      await until('the end', () => told.ending === 'complete')
      t.equal(told.map, undefined)
    })
  })
}
