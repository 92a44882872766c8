import { connect, type Socket } from 'node:net'
import t from 'tap'
import { WebSocket } from 'ws'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import { freeSlots } from '../support/calls.ts'
import type { Operation } from '../support/contract.ts'
import { examples, strangers } from '../support/examples.ts'
import { useFleet } from '../support/fleet.ts'
import { mutationsOf } from '../support/mutations.ts'
import type { Server } from '../support/server-process.ts'
import { until } from '../support/until.ts'

/*
 * A flood of random and mutated requests and frames over every route and channel, made from the server's own documents
 * and sent as bytes: nothing is answered with an error of the server's, nothing ends it, and no memory stays.
 */

t.setTimeout(300_000)

const seed = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Math.random() * 1e6))
const requestsMax = Number(process.env['FUZZ_REQUESTS'] ?? 10_000)
const framesMax = Number(process.env['FUZZ_FRAMES'] ?? 4_000)
const connections = 24
/** What may stay of it: what the server remembers on purpose, of accounts, answers and tokens. */
const staysMax = 96 * 1024 * 1024

const fleet = await useFleet(t)
// Guests are made by the thousand here; that they are limited is tested elsewhere.
const server = await fleet.start({ OPENRUN_GUESTS_PER_MINUTE: '1000000' })
const sales = [await server.sale(), await server.sale({ ...freeSlots(2), queue: { maxPerAccount: 20 } })]
const buyers = await server.guests(4)
const purchaseTokens = await Promise.all(sales.flatMap((sale) => buyers.map((buyer) => buyer.letIn(sale))))
const tokens = [...buyers.map(({ token }) => token), server.organiserKey, purchaseTokens[0] ?? '', 'nope', '']

type Random = () => number
const oneOf = <T>(all: readonly T[], random: Random): T => all[Math.floor(random() * all.length)] as T

const oddTexts = [
  '',
  '0',
  '-1',
  'null',
  '%',
  '%00',
  '..%2f..',
  'x'.repeat(400),
  '2030-13-45',
  '1e999',
  '한글',
  "' or 1=1 --",
  '{}',
  '[]',
]
function someText(random: Random): string {
  if (random() < 0.6) return oneOf(oddTexts, random)
  return Array.from({ length: Math.floor(random() * 40) }, () =>
    String.fromCodePoint(32 + Math.floor(random() * 900)),
  ).join('')
}

const ids: Readonly<Record<string, readonly string[]>> = { sale: sales }
function idOf(name: string, random: Random): string {
  const chance = random()
  if (chance < 0.7 && ids[name] !== undefined) return oneOf(ids[name], random)
  return chance < 0.9 ? (strangers[name] ?? '1') : someText(random)
}

const bodies = new Map(
  Object.entries(examples()).map(([call, list]) => [
    call,
    [...list, ...list.flatMap((example) => mutationsOf(example).map(({ value }) => value))].map((value) =>
      JSON.stringify(value),
    ),
  ]),
)
function bodyOf(call: string, random: Random): string | undefined {
  const known = bodies.get(call)
  if (known === undefined) return random() < 0.05 ? someText(random) : undefined
  const body = oneOf(known, random)
  if (random() < 0.85) return body
  // Something in the middle is not what it was.
  const at = Math.floor(random() * body.length)
  return body.slice(0, at) + someText(random) + body.slice(at + Math.floor(random() * 9))
}

interface Call {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}
const calls: Call[] = server.contract.operations
  // A stream has no end that could be waited for.
  .filter(({ path }) => !path.endsWith('/stream'))
  .map(({ method, path, operation }) => ({ method, path, operation }))

/** The bytes of a request, well framed whatever stands in it. */
function someRequest(random: Random): Buffer {
  const { method, path, operation } = oneOf(calls, random)
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(idOf(name, random)))
  const names = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query')
  const query = Array.from(
    { length: Math.floor(random() * 3) },
    () => `${oneOf(['x', ...names.map(({ name }) => name)], random)}=${encodeURIComponent(someText(random))}`,
  ).join('&')
  const body = bodyOf(`${method} ${path}`, random)
  const bytes = Buffer.from(body ?? '')
  const headers = [
    `${random() < 0.98 ? method : 'BREW'} ${filled}${query === '' ? '' : `?${query}`} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Bearer ${oneOf(tokens, random)}`,
    ...(random() < 0.3 ? [`Purchase-Token: ${oneOf([...purchaseTokens, 'nope'], random)}`] : []),
    ...(random() < 0.2 ? [`Idempotency-Key: ${oneOf(['a', 'b', 'k'.repeat(256)], random)}`] : []),
    ...(body === undefined ? [] : [`Content-Type: ${random() < 0.97 ? 'application/json' : 'text/plain'}`]),
    ...(body === undefined && method === 'GET' ? [] : [`Content-Length: ${bytes.length}`]),
  ]
  return Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`), bytes])
}

interface Heard {
  /** 0 where the connection ended without an answer. */
  readonly status: number
  readonly text: string
}

/** A connection that is opened anew where the server has closed it. */
class KeptConnection {
  #socket: Socket | undefined
  #text = ''
  #heard: ((heard: Heard) => void) | undefined

  async send(bytes: Buffer): Promise<Heard> {
    const heard = await this.#try(bytes)
    // It may have been closed behind the answer before.
    return heard.status === 0 ? await this.#try(bytes) : heard
  }

  close(): void {
    this.#socket?.destroy()
  }

  #try(bytes: Buffer): Promise<Heard> {
    return new Promise((resolve) => {
      this.#heard = resolve
      this.#text = ''
      if (this.#socket === undefined || this.#socket.destroyed) this.#socket = this.#open()
      this.#socket.write(bytes)
    })
  }

  #open(): Socket {
    const socket = connect(server.port, '127.0.0.1')
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.#text += chunk
      const headEnd = this.#text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#text)?.[1] ?? 0)
      if (this.#text.length >= headEnd + 4 + length) this.#tell()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      socket.destroy()
      this.#tell()
    })
    return socket
  }

  #tell(): void {
    const heard = this.#heard
    this.#heard = undefined
    heard?.({ status: Number(this.#text.slice(9, 12)) || 0, text: this.#text })
  }
}

/** Bytes that the process holds. */
async function residentBytes(of: Server): Promise<number> {
  const text = (await of.call('GET', '/metrics')).bytes.toString()
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1])
}

t.test('a flood of requests ends nothing, and is answered as documented', async (t) => {
  const statuses = new Map<number, number>()
  let [sent, atHalfBytes] = [0, 0]
  const pour = async (stream: number): Promise<void> => {
    const random = seededRandom(seed, stream)
    const connection = new KeptConnection()
    while (sent < requestsMax) {
      if (++sent === Math.floor(requestsMax / 2)) atHalfBytes = await residentBytes(server)
      const bytes = someRequest(random)
      const { status, text } = await connection.send(bytes)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 0 || (status >= 500 && status !== 503))
        throw new Error(`${status} ${text.slice(0, 400)}\nto ${bytes.toString().slice(0, 800)}`)
    }
    connection.close()
  }
  await t.resolves(Promise.all(Array.from({ length: connections }, (_, stream) => pour(stream))))
  const grownBytes = (await residentBytes(server)) - atHalfBytes
  t.comment(`${sent} requests, seed ${seed}: ${JSON.stringify(Object.fromEntries(statuses))}`)
  t.ok((statuses.get(200) ?? 0) > 0 && (statuses.get(422) ?? 0) > 0)
  t.ok(grownBytes < staysMax, `the second half left ${Math.round(grownBytes / 1024)} kB`)
  t.equal((await server.call('GET', '/readyz')).status, 200)
})

const channels = [
  'me',
  ...sales.flatMap((sale) => [`queue:${sale}`, `units:${sale}`]),
  'chat:x',
  'queue:',
  '',
]

function someFrame(random: Random): string | Buffer {
  const chance = random()
  if (chance < 0.1) return Buffer.from(Array.from({ length: 60 }, () => Math.floor(random() * 256)))
  if (chance < 0.2) return someText(random)
  const frame = {
    op: oneOf(['subscribe', 'unsubscribe', 'publish', someText(random)], random),
    ch: oneOf([...channels, someText(random)], random),
    ...(random() < 0.4 ? { since: oneOf(['1:1', '0:0', '9:99999999', someText(random)], random) } : {}),
    ...(random() < 0.3 ? { data: oneOf([{ watch: ['A-01-01'] }, { text: 'hello' }, null, 7], random) } : {}),
    ...(random() < 0.5 ? { ref: Math.floor(random() * 9) } : {}),
  }
  const text = JSON.stringify(frame)
  return random() < 0.9 ? text : text.slice(0, Math.floor(random() * text.length))
}

/** One connection with frames until it is closed by either side. Answers how many were sent. */
async function talk(random: Random): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, {
    headers: { authorization: `Bearer ${oneOf(buyers, random).token}` },
  })
  let sent = 0
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('error', () => undefined)
  socket.on('open', () => {
    for (; sent < 40; sent++) socket.send(someFrame(random))
    socket.close()
  })
  await closed
  return sent
}

t.test('a flood of frames ends nothing but its own connections', async (t) => {
  let frames = 0
  const before = await residentBytes(server)
  const pour = async (stream: number): Promise<void> => {
    const random = seededRandom(seed, 1_000 + stream)
    while (frames < framesMax) frames += await talk(random)
  }
  await Promise.all(Array.from({ length: 8 }, (_, stream) => pour(stream)))
  t.comment(`${frames} frames, seed ${seed}`)
  const left = async (): Promise<number> => {
    const text = (await server.call('GET', '/metrics')).bytes.toString()
    return Number(/^openrun_websockets (\S+)/m.exec(text)?.[1] ?? Number.NaN)
  }
  await until('all connections are gone', async () => (await left()) === 0)
  t.ok((await residentBytes(server)) - before < staysMax)
  t.equal((await server.call('GET', '/readyz')).status, 200)
  t.ok(await (await server.ws(buyers[0]?.token ?? '')).subscribe('me'))
})
