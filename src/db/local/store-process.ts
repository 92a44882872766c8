import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { systemClock } from '../../clock.ts'
import { StartError } from '../../start-error.ts'
import type { StoreAccount } from './store-account.ts'

export interface StoreProcessOptions {
  /** For messages: `PostgreSQL`, `Redis`. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Where the process works; its user must be able to enter it. */
  readonly folder: string
  /** Receives what the process writes; emptied first. A file and no pipe, so that a stopped parent never blocks it. */
  readonly logFile: string
  readonly account: StoreAccount | undefined
  /** Ends it in order. */
  readonly stopSignal: NodeJS.Signals
  /** Ends it at once, losing nothing that was said to be stored. */
  readonly forceSignal: NodeJS.Signals
}

export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * Run by a shell before it becomes the process itself. The small process it leaves behind reads a pipe whose other
 * end only we hold: when that closes without a word we are gone, however we died, and the process is told to stop.
 * It exists before the process does, so there is no moment in which the process could be left alone.
 */
const script = '( { read -r _ <&3 || kill -s "$0" $$; } >/dev/null 2>&1 & ); exec "$@" 3<&-'

const startTimeoutMs = 60_000
const stopTimeoutMs = 3_000
const probeEveryMs = 10

/**
 * A local store as a process of ours that does not outlive us. It has a session of its own, so that Ctrl-C in the
 * terminal reaches the server only, which then stops the stores last.
 */
export class StoreProcess {
  readonly pid: number
  readonly exited: Promise<ProcessEnd>
  readonly #child: ChildProcess
  readonly #options: StoreProcessOptions
  #end: ProcessEnd | undefined

  constructor(options: StoreProcessOptions) {
    this.#options = options
    const output = openSync(options.logFile, 'w', 0o600)
    const words = [options.stopSignal.slice('SIG'.length), options.command, ...options.args]
    this.#child = spawn('/bin/sh', ['-c', script, ...words], {
      cwd: options.folder,
      detached: true,
      stdio: ['ignore', output, output, 'pipe'],
      // One time zone and one language everywhere: the same output and the same defaults on every machine.
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', TZ: 'UTC', LC_MESSAGES: 'C' },
      ...options.account,
    })
    closeSync(output)
    this.pid = this.#child.pid ?? 0
    this.exited = this.#whenExited()
    this.#release()
  }

  get name(): string {
    return this.#options.name
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** What the process has written since its start. */
  output(): string {
    return readFileSync(this.#options.logFile, 'utf8')
  }

  /** For messages: the last line that sounds like a reason. */
  lastLine(): string {
    const lines = this.output().trim().split('\n')
    return (lines.findLast((line) => /fatal|error|fail/i.test(line)) ?? lines.at(-1))?.trim() || 'no word why'
  }

  /** Resolves when the probe says yes. Throws `StartError` with the last words of a process that ended instead. */
  async untilReady(probe: () => Promise<boolean>): Promise<void> {
    const { name, logFile } = this.#options
    const deadlineMs = systemClock.nowMs() + startTimeoutMs
    while (!(await probe())) {
      if (this.#end) throw new StartError(`${name} did not start: ${this.lastLine()} (more in ${logFile})`)
      if (systemClock.nowMs() > deadlineMs) {
        await this.stop()
        throw new StartError(`${name} was not ready after ${startTimeoutMs / 1000} s (see ${logFile})`)
      }
      await systemClock.wait(probeEveryMs)
    }
  }

  /** Resolves when the process has ended by itself; unlike `exited`, it keeps our program alive for so long. */
  finish(): Promise<ProcessEnd> {
    this.#child.ref()
    return this.exited
  }

  /** Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#child.ref()
    for (const signal of [this.#options.stopSignal, this.#options.forceSignal, 'SIGKILL'] as const) {
      if (this.#end) return
      this.signal(signal)
      const waiting = new AbortController()
      await Promise.race([this.exited, systemClock.wait(stopTimeoutMs, waiting.signal)])
      waiting.abort()
    }
    await this.exited
  }

  #whenExited(): Promise<ProcessEnd> {
    return new Promise((resolve) => {
      const finish = (end: ProcessEnd) => {
        this.#end = end
        this.#pipe()?.end('ended\n')
        resolve(end)
      }
      this.#child.once('exit', (code, signal) => finish({ code, signal }))
      this.#child.once('error', () => finish({ code: null, signal: null }))
    })
  }

  /** The stores must not keep a program alive that has nothing else to do. */
  #release(): void {
    this.#child.unref()
    const pipe = this.#pipe()
    pipe?.unref()
    pipe?.on('error', () => {})
  }

  #pipe(): Socket | undefined {
    return (this.#child.stdio[3] as Socket | null) ?? undefined
  }
}
