import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { api } from '../support/contract.ts'
import { useFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

/*
 * Clients that dawdle, by the hundred, as slowhttptest makes them: with the heads of their requests, with the bodies, and
 * with reading the answers. Whoever else comes is served meanwhile, and those who dawdle are cut off and leave nothing.
 */

const dawdlers = 300
/** They would go on for as long. */
const dawdleSeconds = 100
/** The server cuts off after some ten seconds; the rest is for a machine that is busy with other things. */
const cutWithinMs = 50_000
/** Whoever waited for those who dawdle would have its answers when they are cut off: never one after the other beside them. */
const roundsMin = 3
/** A machine that is busy with other things may leave no time for so many rounds. */
const attemptsMax = 5
/** A quarter of what they would hold with a buffer of a megabyte each. */
const staysMax = 75 * 1024 * 1024

const fleet = await useFleet(t)
const server = await fleet.start()
const buyer = await server.guest()
const sale = await server.sale()

interface Figures {
  readonly connections: number
  readonly inFlight: number
  readonly residentBytes: number
}

/** What the server holds for its clients. */
async function figures(): Promise<Figures> {
  const text = (await server.call('GET', '/metrics')).bytes.toString()
  const of = (name: string): number => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
  return {
    connections: of('openrun_connections'),
    inFlight: of('openrun_http_in_flight'),
    residentBytes: of('process_resident_memory_bytes'),
  }
}

/** Rejects where there is no such program. */
async function dawdle(t: Test, mode: readonly string[]): Promise<ChildProcess> {
  const all = [...mode, '-c', String(dawdlers), '-r', String(dawdlers), '-l', String(dawdleSeconds)]
  const process = spawn('slowhttptest', all, { stdio: 'ignore' })
  t.teardown(() => process.kill('SIGKILL'))
  try {
    await once(process, 'spawn')
  } catch (cause) {
    throw new Error('There is no slowhttptest: install it (apt-get install slowhttptest)', { cause })
  }
  return process
}

/** Those who dawdle. */
async function areThere(): Promise<boolean> {
  return (await figures()).connections > dawdlers / 2
}

/** Asks as others do, one after the other, until told to stop. Answers how often while there were those who dawdle. */
async function ask(isOver: () => boolean): Promise<number> {
  let rounds = 0
  let wereThere = false
  while (!isOver()) {
    const [read, joined] = await Promise.all([
      buyer.call('GET', `${api}/sales/${sale}`),
      buyer.join(sale),
      buyer.call('GET', `${api}/stores`),
    ])
    if (read.status !== 200 || joined.status > 201)
      throw new Error(`somebody else was answered ${read.status} and ${joined.status}`)
    const areStillThere = await areThere()
    if (wereThere && areStillThere) rounds++
    wereThere = areStillThere
  }
  return rounds
}

async function endures(t: Test, mode: readonly string[]): Promise<void> {
  const before = await figures()
  let rounds = 0
  for (let attempt = 0; rounds < roundsMin && attempt < attemptsMax; attempt++)
    rounds = await roundsBeside(t, mode, before)
  t.ok(rounds >= roundsMin, `another was answered ${rounds} times meanwhile`)
  const grownBytes = (await figures()).residentBytes - before.residentBytes
  t.ok(grownBytes < staysMax, `${Math.round(grownBytes / 1024)} kB are left`)
}

/** Resolves when those who dawdle were cut off, with how often another was answered meanwhile. */
async function roundsBeside(t: Test, mode: readonly string[], before: Figures): Promise<number> {
  let isOver = false
  const others = ask(() => isOver)
  const watch = async (): Promise<void> => {
    const process = await dawdle(t, mode)
    await until('they are there', areThere)
    const isGone = async (): Promise<boolean> => {
      const { connections, inFlight } = await figures()
      return connections <= before.connections + 8 && inFlight <= before.inFlight
    }
    await until('they are cut off', isGone, { withinMs: cutWithinMs })
    process.kill('SIGKILL')
  }
  const [rounds] = await Promise.all([others, watch().finally(() => (isOver = true))])
  return rounds
}

t.test('who never ends the head of a request is cut off, and others are served meanwhile', (t) =>
  endures(t, ['-H', '-i', '1', '-u', `${server.url}/healthz`]),
)

t.test('who never ends a body likewise', (t) =>
  endures(t, ['-B', '-i', '1', '-f', 'application/json', '-u', `${server.url}${api}/orders`]),
)

t.test('who hardly reads the answers likewise', (t) => {
  const dribble = ['-n', '1', '-z', '32', '-w', '256', '-y', '512', '-k', '4']
  return endures(t, ['-X', ...dribble, '-u', `${server.url}/openapi.json`])
})
