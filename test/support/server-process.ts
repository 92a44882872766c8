import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Calls } from './calls.ts'
import { Contract, type ApiDocument } from './contract.ts'
import { LiveContract, type LiveDocument } from './live-contract.ts'
import { projectFolder } from './project-folder.ts'
import type { Scope } from './stores.ts'
import { startUntraced } from './untraced-process.ts'
import { until } from './until.ts'

/** As it is built for users; `npm test` and `npm run test:some` build it first. */
const program = join(projectFolder, 'build', 'main.js')

type Environment = Readonly<Record<string, string | undefined>>

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** The server program as a process of its own. */
export class ServerProcess {
  readonly child: ChildProcess
  readonly ended: Promise<Ending>
  /** Lines it has said, but not its log. */
  readonly lines: string[] = []
  #stderr = ''

  constructor(t: Scope, env: Environment) {
    const quiet = { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', OPENRUN_LOG_LEVEL: 'silent' }
    const options = { stdio: 'pipe', env: { ...quiet, ...env } } as const
    this.child = startUntraced(program, [], options)
    const { stdout, stderr } = this.child
    if (!stdout || !stderr) throw new Error('no output')
    createInterface({ input: stdout }).on('line', (line) => {
      if (process.env['TEST_LOG_LEVEL']) process.stderr.write(`${this.child.pid} ${line}\n`)
      this.lines.push(line)
    })
    stderr.on('data', (text: Buffer) => (this.#stderr += text.toString()))
    this.ended = once(this.child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stderr: this.#stderr,
    }))
    t.teardown(() => this.kill())
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** The port it listens on. Rejects when it ends before. */
  async listening(): Promise<number> {
    const said = (): string | undefined => this.lines.find((line) => line.includes(' listens on '))
    await until('it listens', () => said() !== undefined || !this.isAlive)
    const port = Number(/:(\d+)$/.exec(said() ?? '')?.[1])
    if (!port) throw new Error(`it does not listen: ${(await this.ended).stderr}`)
    return port
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.isAlive) this.child.kill('SIGKILL')
    await this.ended
  }
}

export interface Server extends Calls {
  readonly process: ServerProcess
  readonly contract: Contract
}

/** Starts the program and resolves when it answers. */
export function startServer(t: Scope, options: { organiserKey: string; env: Environment }): Promise<Server> {
  return connectServer(t, { organiserKey: options.organiserKey, process: new ServerProcess(t, options.env) })
}

/** Resolves when the program answers. */
export async function connectServer(
  t: Scope,
  options: { organiserKey: string; process: ServerProcess },
): Promise<Server> {
  const { organiserKey, process } = options
  const port = await process.listening()
  const read = async (name: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}/${name}.json`)).json()
  const contract = new Contract((await read('openapi')) as ApiDocument)
  const live = new LiveContract((await read('asyncapi')) as LiveDocument)
  return Object.assign(new Calls(t, { port, organiserKey, contract, live }), { process, contract })
}
