import { basename, dirname } from 'node:path'
import { isCode, type Rule, type SourceFile } from './tree.ts'

/** The wall: a file that is longer has more than one thing to say. */
const linesMax = 500
/** Normal's end for what is not a test. */
const linesNormal = 300
/** How many files may be longer than normal. It is lowered when there are fewer, and never raised. */
export const longFilesMax = 0

export const fileLength: Rule = (files) =>
  files
    .filter(({ path }) => isCode(path))
    .filter((file) => linesOf(file) > linesMax)
    .map((file) => `${file.path}: ${linesOf(file)} lines, more than ${linesMax}`)

export const lengthRatchet: Rule = (files) => {
  const long = files
    .filter(({ path }) => /^(src|public)\//.test(path) && isCode(path) && !path.endsWith('.test.ts'))
    .filter((file) => linesOf(file) > linesNormal)
  if (long.length <= longFilesMax) return []
  return long.map(
    (file) => `${file.path}: ${linesOf(file)} lines; ${longFilesMax} may have over ${linesNormal}`,
  )
}

/** `order-store.ts`, `order-store.pg.test.ts`, `0001_more_room.sql`. */
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/
const migration = /^\d{4}_[a-z0-9_]+\.(sql|json)$/
const byGrammar = new Set(['utils', 'util', 'helpers', 'types', 'interfaces', 'common', 'misc', 'lib'])

export const fileNames: Rule = (files) =>
  files
    .filter(({ path }) => /^(src|public|test|tools|bench)\//.test(path) && !path.includes('/migrations/'))
    .filter(({ path }) => basename(path) !== 'README.md')
    .flatMap(({ path }) => [
      ...(kebabCase.test(basename(path)) ? [] : [`${path}: the name is not in kebab-case`]),
      ...dirname(path)
        .split('/')
        .filter((folder) => byGrammar.has(folder))
        .map((folder) => `${path}: the folder ${folder} says what its files are, not what they are about`),
    ])

export const migrationNames: Rule = (files) =>
  files
    .filter(({ path }) => /^src\/db\/migrations\/[^/]+$/.test(path))
    .filter(({ path }) => !migration.test(basename(path)))
    .map(({ path }) => `${path}: a migration is named NNNN_what_it_does.sql`)

/** A file that hands on what others export hides where a thing lives. */
export const noBarrels: Rule = (files) =>
  files
    .filter(({ path, text }) => path.endsWith('.ts') && /^export\b[^;'"`]*\bfrom\s+['"]/m.test(text))
    .map(({ path }) => `${path}: hands on the exports of another file`)

function linesOf({ text }: SourceFile): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}
