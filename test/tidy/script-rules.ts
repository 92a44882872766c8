import { dirname, join } from 'node:path'
import type { Rule, SourceFile } from './tree.ts'

/** Each script says what it takes and gives. That header and binding agree is seen to when a script is loaded. */
export const scriptHeaders: Rule = (files) => {
  const included = new Set(scriptsOf(files).flatMap(includesOf))
  return scriptsOf(files)
    .filter(({ path }) => !included.has(path))
    .flatMap(({ path, text }) =>
      ['KEYS', 'ARGV', 'returns']
        .filter((label) => !new RegExp(`^-- ${label} \\S`, 'm').test(text))
        .map((label) => `${path}: its header does not say ${label}`),
    )
}

/** Each script is bound once, or is a part of others. */
export const scriptBindings: Rule = (files) => {
  const scripts = scriptsOf(files)
  const included = new Set(scripts.flatMap(includesOf))
  const bound = files
    .filter(({ path }) => /^src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/loadScript\(\s*\w+,\s*'([^']+)'/g)].map(([, script = '']) =>
        join(dirname(path), script),
      ),
    )
  const known = new Set(scripts.map(({ path }) => path))
  return [
    ...scripts.flatMap(({ path }) => {
      const times = bound.filter((each) => each === path).length
      const right = included.has(path) ? 0 : 1
      return times === right ? [] : [`${path}: bound ${times} times instead of ${right}`]
    }),
    ...[...bound, ...included]
      .filter((path) => !known.has(path))
      .map((path) => `${path}: there is no such script`),
  ]
}

/** A script that searches all of Redis stops everybody. */
export const boundedScripts: Rule = (files) =>
  scriptsOf(files).flatMap(({ path, text }) =>
    [...text.matchAll(/'(KEYS|SCAN|HSCAN|SSCAN|ZSCAN|SORT|FLUSHALL|FLUSHDB)'/g)].map(
      ([, command]) => `${path}: ${command} walks through everything`,
    ),
  )

function scriptsOf(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => /^src\/.*\.lua$/.test(path))
}

function includesOf({ path, text }: SourceFile): string[] {
  return [...text.matchAll(/^-- @include (\S+)$/gm)].map(([, part = '']) => join(dirname(path), part))
}
