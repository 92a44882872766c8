import sharp from 'sharp'
import t from 'tap'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import { freeSlots } from '../support/calls.ts'
import { useFleet } from '../support/fleet.ts'
import { registerStore } from '../support/new-store.ts'
import type { LiveDocument } from '../support/live-contract.ts'
import type { Server } from '../support/server-process.ts'
import { until } from '../support/until.ts'
import { AnswerJudge } from './flood/answer-judge.ts'
import { oneOf } from './flood/chance.ts'
import { FrameJudge } from './flood/frame-judge.ts'
import { FrameMaker } from './flood/frame-maker.ts'
import { KeptConnection } from './flood/kept-connection.ts'
import { KnownThings } from './flood/known-things.ts'
import { RequestMaker, type Sender } from './flood/request-maker.ts'
import { talk } from './flood/talk.ts'

/*
 * A flood of random and mutated requests and frames over every route and channel, made from the server's own documents
 * and sent as bytes: everything is answered as documented, nothing ends the server, and no memory stays.
 */

/** The same each time, unless another one is asked for, or `random`. */
const { FUZZ_SEED: asked = '1' } = process.env
const seed = asked === 'random' ? Math.trunc(Math.random() * 1e6) : Number(asked)
const requestsMax = Number(process.env['FUZZ_REQUESTS'] ?? 100_000)
const framesMax = Number(process.env['FUZZ_FRAMES'] ?? 110_000)
const connections = 48
const talkers = 32
/** What may stay of it: what the server remembers on purpose, of accounts, answers and tokens. */
const staysMax = 96 * 1024 * 1024

const fleet = await useFleet(t)
// Guests are made by the thousand here; that they are limited is tested elsewhere.
const server = await fleet.start({ OPENRUN_GUESTS_PER_MINUTE: '1000000', OPENRUN_DATA_DIR: t.testdir() })
const hall = await server.sale({ queue: { maxPerAccount: 50 } })
const slots = await server.sale({ ...freeSlots(2, 5000), queue: { maxPerAccount: 50 } })
const inAnHour = new Date(Date.now() + 3_600_000).toISOString()
const lottery = await server.sale({ opensAt: inAnHour, closesAt: inTwoHours(), queue: { mode: 'lottery' } })
const drawn = await server.sale({ queue: { mode: 'lottery' } })
const store = await registerStore(server)
const guests = await server.guests(6)
const buyers: Sender[] = guests.map(({ token }, index) => ({ name: `buyer ${index}`, token }))
const known = new KnownThings()
for (const sale of [lottery, drawn, hall, hall, slots]) known.add('sale', sale)
known.add('store', store)
await Promise.all(
  [hall, slots].flatMap((sale) =>
    guests.map(async (guest, index) =>
      known.add(`purchase token of buyer ${index} at ${sale}`, await guest.letIn(sale)),
    ),
  ),
)

function inTwoHours(): string {
  return new Date(Date.now() + 7_200_000).toISOString()
}

/** A figure of the process. */
async function figure(of: Server, name: string): Promise<number> {
  const text = (await of.call('GET', '/metrics')).bytes.toString()
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? Number.NaN)
}
const residentBytes = (): Promise<number> => figure(server, 'process_resident_memory_bytes')

t.test('a flood of requests ends nothing, and is answered as documented', async (t) => {
  const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  const organiser = { name: 'organiser', token: server.organiserKey }
  const maker = new RequestMaker({ contract: server.contract, known, buyers, organiser, picture })
  const judge = new AnswerJudge(server.contract)
  t.comment(`seed ${seed}`)
  let [sent, atHalfBytes] = [0, 0]
  const pour = async (stream: number): Promise<void> => {
    const random = seededRandom(seed, stream)
    const connection = new KeptConnection(server.port)
    while (sent < requestsMax || (sent < 2 * requestsMax && judge.neverReached.length > 0)) {
      if (++sent === Math.floor(requestsMax / 2)) atHalfBytes = await residentBytes()
      const request = maker.next(random)
      const heard = await connection.send({ bytes: request.bytes, isBodiless: request.method === 'HEAD' })
      judge.judge(request, heard)
      known.learn(request, heard)
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, (_, stream) => pour(stream)))
  const grownBytes = (await residentBytes()) - atHalfBytes
  const statuses = JSON.stringify(Object.fromEntries(judge.statuses))
  t.comment(`${sent} requests, ${judge.bodies} read as a whole, seed ${seed}: ${statuses}`)
  t.comment(`documented and never seen: ${judge.neverSeen.join(', ')}`)
  t.same(judge.neverReached, [])
  t.ok(grownBytes < staysMax, `the second half left ${Math.round(grownBytes / 1024)} kB`)
  t.equal((await server.call('GET', '/readyz')).status, 200)
})

t.test('a flood of frames ends nothing but its own connections', async (t) => {
  const document = (await (await fetch(`${server.url}/asyncapi.json`)).json()) as LiveDocument
  const maker = new FrameMaker(document, known)
  const judge = new FrameJudge(document)
  const tokens = [...buyers.map(({ token }) => token), server.organiserKey, '']
  const neverSeen = () => maker.answers.filter((name) => !judge.seen.has(name))
  let frames = 0
  let atHalfBytes = 0
  const pour = async (stream: number): Promise<void> => {
    const random = seededRandom(seed, 1_000 + stream)
    while (frames < framesMax || (frames < 2 * framesMax && neverSeen().length > 0)) {
      const token = oneOf(tokens, random)
      const handled = await talk({ port: server.port, token, maker, judge }, random)
      // Not in one: what others have added meanwhile would be forgotten.
      frames += handled
      if (atHalfBytes === 0 && frames > framesMax / 2) atHalfBytes = await residentBytes()
    }
  }
  await Promise.all(Array.from({ length: talkers }, (_, stream) => pour(stream)))
  const counts = (map: ReadonlyMap<string | number, number>) => JSON.stringify(Object.fromEntries(map))
  t.comment(`${frames} frames handled, seed ${seed}: ${counts(judge.seen)}, ends ${counts(judge.ends)}`)
  t.same(neverSeen(), [])
  await until('all connections are gone', async () => (await figure(server, 'openrun_websockets')) === 0)
  t.ok((await residentBytes()) - atHalfBytes < staysMax)
  t.equal((await server.call('GET', '/readyz')).status, 200)
  t.ok(await (await server.ws(buyers[0]?.token ?? '')).subscribe('me'))
})
