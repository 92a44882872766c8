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

/** Resolves when the condition stands in /readyz and in the figures, and one line says what to do. */
export async function begins(t: Test, server: Server, name: ConditionName): Promise<void> {
  mustFit(t, name, await linesWhere(server, name, true))
}

/** Resolves when it is told no more, of what was before either; one more line has said so. */
export async function ends(t: Test, server: Server, name: ConditionName): Promise<void> {
  mustFit(t, name, await linesWhere(server, name, false))
}

/** Resolves when it has begun, also where it is over before anybody looks. */
export async function hasBegun(t: Test, server: Server, name: ConditionName): Promise<void> {
  const isLogged = async (): Promise<boolean> =>
    (await begun(server, name)) > 0 && linesOf(server, name).length > 0
  await until(`${name} has begun`, isLogged)
  mustFit(t, name, linesOf(server, name))
}

/**
 * Its lines, as soon as it holds, or does not, by all that is told: one for each time it has begun, and one for its end. A store
 * that stood still for a while began one more.
 */
async function linesWhere(server: Server, name: ConditionName, holds: boolean): Promise<Line[]> {
  let lines: Line[] = []
  await until(`${name} ${holds ? 'begins' : 'ends'}`, async () => {
    if ((await isTold(server, name)) !== holds) return false
    const ofName = new RegExp(`openrun_condition\\{name="${name}"\\} (\\d)`)
    const [held, times] = [await figure(server, ofName), await begun(server, name)]
    // A line may be here later than an answer.
    lines = linesOf(server, name)
    return held === Number(holds) && lines.length === (holds ? 2 * times - 1 : 2 * times)
  })
  return lines
}

function mustFit(t: Test, name: ConditionName, lines: readonly Line[]): void {
  for (const [index, { msg }] of lines.entries())
    t.match(msg, index % 2 === 0 ? conditionTexts[name].advice : /^Over: /)
}

/** How often. */
const begun = (server: Server, name: ConditionName): Promise<number> =>
  figure(server, new RegExp(`openrun_conditions_begun_total\\{name="${name}"\\} (\\d+)`))

async function isTold(server: Server, name: ConditionName): Promise<boolean> {
  const { status, body } = await server.call('GET', '/readyz')
  const { conditions } = body as { conditions: { name: string }[] }
  const held = conditions.some((condition) => condition.name === name)
  if (held !== (status === 200 && body['status'] === 'degraded' && held))
    throw new Error(`${name} is told as ${status} ${JSON.stringify(body)}`)
  return held
}
