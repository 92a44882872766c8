import { readFile, rm } from 'node:fs/promises'
import { systemClock } from '../../clock.ts'
import { processFolder, processStart } from './process-start.ts'

export interface LeftoverOptions {
  /** Its first line is the number of a process. */
  readonly pidFile: string
  /** The folder that the store works in. */
  readonly folder: string
  readonly stopSignal: NodeJS.Signals
  readonly forceSignal: NodeJS.Signals
}

const stopTimeoutMs = 10_000

/**
 * Ends the store that a killed Openrun left in this folder, and waits until it is gone. Only to be called by the
 * holder of the folder's lock. When the number belongs to a stranger by now, the file is removed: PostgreSQL would
 * take the stranger for its own kind and refuse to start.
 */
export async function endLeftover(options: LeftoverOptions): Promise<void> {
  const text = await readFile(options.pidFile, 'utf8').catch(() => '')
  const pid = Number.parseInt(text, 10)
  if (!(pid > 0)) return
  const start = processStart(pid)
  if (start !== undefined && processFolder(pid) === options.folder) {
    for (const signal of [options.stopSignal, options.forceSignal, 'SIGKILL'] as const) {
      if (await endsAfter(signal, pid, start)) break
    }
  }
  if (processStart(pid) !== undefined) await rm(options.pidFile, { force: true })
}

async function endsAfter(signal: NodeJS.Signals, pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, signal)
  } catch {
    return true
  }
  const deadlineMs = systemClock.nowMs() + stopTimeoutMs
  while (processStart(pid) === start) {
    if (systemClock.nowMs() > deadlineMs) return false
    await systemClock.wait(20)
  }
  return true
}
