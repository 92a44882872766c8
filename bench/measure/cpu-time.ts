import { readdirSync, readFileSync } from 'node:fs'

/** The kernel counts in hundredths of a second, whatever the machine. */
const microsPerTick = 10_000

/** Processor time, user and system, that a process has used so far, in microseconds. Linux only. */
export function cpuMicrosOf(pid: number): number {
  const fields = statOf(pid)
  return fields === undefined ? 0 : (fields.user + fields.system) * microsPerTick
}

/** The same for a process with its children, those that have ended included. */
export function cpuMicrosOfFamily(pid: number): number {
  const parent = statOf(pid)
  if (parent === undefined) return 0
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === pid)
  const ended = parent.endedUser + parent.endedSystem
  const living = [parent, ...children].reduce((sum, stat) => sum + (stat ? stat.user + stat.system : 0), 0)
  return (ended + living) * microsPerTick
}

interface Stat {
  readonly parent: number
  readonly user: number
  readonly system: number
  readonly endedUser: number
  readonly endedSystem: number
}

function statOf(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The name in parentheses may hold spaces; behind it the fields are counted from 3, the state.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const field = (number: number): number => fields[number - 3] ?? 0
  return {
    parent: field(4),
    user: field(14),
    system: field(15),
    endedUser: field(16),
    endedSystem: field(17),
  }
}
