import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A program beside the module of this URL, compiled where that is, else in TypeScript. */
export function programBeside(moduleUrl: string, name: string): string {
  return fileURLToPath(new URL(`./${name}${extname(moduleUrl)}`, moduleUrl))
}

/**
 * Starts a program, built or in TypeScript, with no other environment than the given one. The test runner adds its own variables
 * to every child, which then waits for it and takes part in its coverage; a program that outlives its test, is killed
 * or runs as another user must not. `env` becomes the program, so the process is the child itself.
 */
export function startUntraced(
  program: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'env'> & { readonly env: Readonly<Record<string, string | undefined>> },
): ChildProcess {
  const { env, ...rest } = options
  const variables = Object.entries(env).flatMap(([name, value]) => (value ? [`${name}=${value}`] : []))
  const loader = program.endsWith('.ts') ? ['--import=tsx'] : []
  return spawn('env', ['-i', ...variables, process.execPath, ...loader, program, ...args], rest)
}
