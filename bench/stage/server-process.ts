import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../..', import.meta.url))
/** As `npm start` has it: the flags of Node, then the program. */
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
  scripts: { start: string }
}
const command = manifest.scripts.start.split(' ').slice(1)

export interface ServerProcess {
  readonly pid: number
  readonly port: number
  readonly organiserKey: string
  stop(): Promise<void>
}

/** Starts our server as it is run in earnest: built, with every role, on stores that are there. */
export async function startServerProcess(options: {
  readonly postgresUrl: string
  readonly redisUrl: string
  /** Where to leave a profile of the processor's time; none when absent. */
  readonly profileFolder?: string | undefined
  /** Further settings. */
  readonly env?: Readonly<Record<string, string>> | undefined
}): Promise<ServerProcess> {
  const { profileFolder } = options
  const profiling = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
  const child = spawn(process.execPath, [...profiling, ...command], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: options.postgresUrl,
      REDIS_URL: options.redisUrl,
      PORT: '0',
      HOST: '127.0.0.1',
      OPENRUN_LOG_LEVEL: 'warn',
      ...options.env,
    },
  })
  const { port, organiserKey } = await untilListening(child)
  // Else one would learn of it only by connections that end.
  child.once('exit', (code, signal) => {
    if (code !== 0) process.stderr.write(`the server has ended: ${signal ?? code}\n`)
  })
  return { pid: child.pid ?? 0, port, organiserKey, stop: () => stop(child) }
}

/** Reads on after the start as well: what nobody reads would in the end stand still. */
async function untilListening(child: ChildProcess): Promise<{ port: number; organiserKey: string }> {
  if (child.stdout === null) throw new Error('the server has no output')
  let organiserKey = ''
  const lines = createInterface({ input: child.stdout })
  return await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it listened`)))
    lines.on('line', (line) => {
      organiserKey = /^Organiser key.*: (\S+)$/.exec(line)?.[1] ?? organiserKey
      const port = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve({ port: Number(port), organiserKey })
      else if (line.startsWith('{')) process.stderr.write(`server: ${line}\n`)
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
