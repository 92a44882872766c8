import type { Test } from 'tap'
import { conditionTexts, type ConditionName } from '../../src/streams/conditions.ts'
import type { Server } from '../support/server-process.ts'
import { until } from '../support/until.ts'

interface Line {
  readonly condition?: string
  readonly err?: { readonly message: string }
  readonly msg: string
}

/** The lines of a process's log about a condition. */
export function linesOf({ process }: Server, name: ConditionName): Line[] {
  const lines = process.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line)
  return lines.filter(({ condition }) => condition === name)
}

/** What it has warned of beside its conditions. */
export function complaintsOf({ process }: Server): string[] {
  const lines = process.lines
    .filter((line) => /"level":[456]0/.test(line))
    .map((line) => JSON.parse(line) as Line)
  return lines.filter(({ condition }) => condition === undefined).map(({ msg }) => msg)
}

export async function figure(server: Server, pattern: RegExp): Promise<number> {
  const { bytes } = await server.callFreely('GET', '/metrics')
  return Number(pattern.exec(bytes.toString())?.[1])
}

/**
 * Resolves when the condition stands in /readyz and in the figures, and one line says what to do.
 * @param earlier lines about it that were there before
 */
export async function begins(t: Test, server: Server, name: ConditionName, earlier = 0): Promise<void> {
  await until(`${name} begins`, () => isTold(server, name))
  t.equal(await figure(server, figureOf(name)), 1)
  const lines = await linesSaid(server, name, earlier + 1)
  t.equal(lines.length, earlier + 1, `${name} is one line`)
  t.match(lines[earlier]?.msg, conditionTexts[name].advice)
}

/** Resolves when it is told no more; one more line has said so. */
export async function ends(t: Test, server: Server, name: ConditionName, earlier = 0): Promise<void> {
  await until(`${name} ends`, async () => !(await isTold(server, name)))
  t.equal(await figure(server, figureOf(name)), 0)
  const lines = await linesSaid(server, name, earlier + 2)
  t.equal(lines.length, earlier + 2, `${name} is one line, and one for its end`)
  t.match(lines[earlier + 1]?.msg, /^Over: /)
}

/** Resolves when it is not told, of what was before either, with how many lines there are about it. */
export async function earlierLines(server: Server, name: ConditionName): Promise<number> {
  const isOver = async () => !(await isTold(server, name)) && linesOf(server, name).length % 2 === 0
  await until(`${name} is over`, isOver)
  return linesOf(server, name).length
}

/** A line may be here later than an answer. */
async function linesSaid(server: Server, name: ConditionName, count: number): Promise<Line[]> {
  await until(`${name} is in the log`, () => linesOf(server, name).length >= count)
  return linesOf(server, name)
}

const figureOf = (name: ConditionName): RegExp => new RegExp(`openrun_condition\\{name="${name}"\\} (\\d)`)

async function isTold(server: Server, name: ConditionName): Promise<boolean> {
  const { status, body } = await server.call('GET', '/readyz')
  const { conditions } = body as { conditions: { name: string }[] }
  const held = conditions.some((condition) => condition.name === name)
  if (held !== (status === 200 && body['status'] === 'degraded' && held))
    throw new Error(`${name} is told as ${status} ${JSON.stringify(body)}`)
  return held
}
