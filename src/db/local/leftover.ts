import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { systemClock } from '../../clock.ts'

export interface LeftoverOptions {
  /** The folder that the store works in. */
  readonly folder: string
  /** Name of the store's program: somebody's shell may work in that folder, too. */
  readonly program: string
  /** Its first line is the number of the store's process; it is removed. */
  readonly pidFile: string
  readonly stopSignal: NodeJS.Signals
}

const stopTimeoutMs = 10_000

/**
 * Ends the store that a killed Openrun left in this folder, and waits until nothing of it is left. Only to be called
 * by the holder of the folder's lock. Its file is removed then: the number may belong to a stranger by now, or to a
 * dead process that nobody has collected, and PostgreSQL would refuse to start because of either.
 */
export async function endLeftover({ folder, program, pidFile, stopSignal }: LeftoverOptions): Promise<void> {
  // Elsewhere PostgreSQL's own checks have to do.
  if (process.platform !== 'linux') return
  const main = numberIn(pidFile)
  for (const signal of [stopSignal, 'SIGKILL'] as const) {
    const left = processesIn(folder, program)
    for (const pid of left) if (signal === 'SIGKILL' || pid === main) send(pid, signal)
    const deadlineMs = systemClock.nowMs() + stopTimeoutMs
    while (processesIn(folder, program).length > 0 && systemClock.nowMs() < deadlineMs)
      await systemClock.wait(20)
  }
  await rm(pidFile, { force: true })
}

/** Processes that run the program with the folder as their place; dead ones have no place. */
function processesIn(folder: string, program: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(
      (pid) => pid > 0 && linkOf(pid, 'cwd') === folder && basename(linkOf(pid, 'exe')).startsWith(program),
    )
}

function linkOf(pid: number, name: 'cwd' | 'exe'): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`)
  } catch {
    return ''
  }
}

function numberIn(pidFile: string): number {
  try {
    return Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
  } catch {
    return 0
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}
