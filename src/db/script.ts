import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RedisServers } from './redis-servers.ts'
import { asUnavailable, type Redis } from './redis.ts'

export type ScriptReply = number | string | null | ScriptReply[]

/** A Lua script with its names. Keys and arguments are given by name and sent in the order of the header. */
export interface Script<Key extends string, Arg extends string> {
  readonly name: string
  readonly lua: string
  readonly sha: string
  readonly keys: readonly Key[]
  readonly args: readonly Arg[]
}

/**
 * Loads a script that stands beside `from` (`import.meta.url`). Its header must name the same keys and arguments as
 * the binding, in the same order; a line `-- @include <file>` is replaced by that file.
 */
export function loadScript<const Key extends string, const Arg extends string>(
  from: string,
  path: string,
  binding: { keys: readonly Key[]; args: readonly Arg[] },
): Script<Key, Arg> {
  const file = join(dirname(fileURLToPath(from)), path)
  const text = readFileSync(file, 'utf8')
  mustMatch(file, 'KEYS', headerOf(text, 'KEYS'), binding.keys)
  mustMatch(file, 'ARGV', headerOf(text, 'ARGV'), binding.args)
  const locals = [
    ...binding.keys.map((name, index) => `local ${name}_key = KEYS[${index + 1}]`),
    ...binding.args.map((name, index) => `local ${name} = ARGV[${index + 1}]`),
  ]
  const lua = `${locals.join('\n')}\n${include(file, text)}`
  const sha = createHash('sha1').update(lua).digest('hex')
  return { name: basename(file, '.lua'), lua, sha, ...binding }
}

/** Runs a script; throws Problem `unavailable` when Redis cannot be reached. */
export async function runScript<Key extends string, Arg extends string>(
  redis: RedisServers,
  script: Script<Key, Arg>,
  call: { keys: Readonly<Record<Key, string>>; args: Readonly<Record<Arg, string | number>> },
): Promise<ScriptReply> {
  const keys = script.keys.map((name) => call.keys[name])
  const args = script.args.map((name) => call.args[name])
  return await runInOrder(redis.of(keys[0] ?? '').commands, script, keys, args)
}

/** The same at one server, with keys and arguments that stand in the order of the header already. */
export async function runInOrder(
  redis: Redis,
  script: Pick<Script<string, string>, 'sha' | 'lua'>,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<ScriptReply> {
  try {
    return (await redis.evalsha(script.sha, keys.length, ...keys, ...args)) as ScriptReply
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw asUnavailable(error)
  }
  try {
    return (await redis.eval(script.lua, keys.length, ...keys, ...args)) as ScriptReply
  } catch (error) {
    throw asUnavailable(error)
  }
}

/** The names after `-- KEYS` or `-- ARGV` in a script's header. */
function headerOf(text: string, label: 'KEYS' | 'ARGV'): string[] {
  const line = new RegExp(`^-- ${label} *(.*)$`, 'm').exec(text)?.[1] ?? ''
  return line.split(/\s+/).filter((word) => word !== '' && word !== '(none)')
}

function mustMatch(file: string, label: string, header: readonly string[], binding: readonly string[]): void {
  if (header.join(' ') === binding.join(' ')) return
  throw new Error(`${file}: ${label} says [${header.join(' ')}], its binding [${binding.join(' ')}]`)
}

function include(file: string, text: string): string {
  return text.replaceAll(/^-- @include (\S+)$/gm, (_line, path: string) =>
    readFileSync(join(dirname(file), path), 'utf8'),
  )
}
