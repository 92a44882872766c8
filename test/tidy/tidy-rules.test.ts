import t from 'tap'
import { generalErrors } from '../../src/errors.ts'
import { assembledErrors, documentedErrors, documentLinks, freshDocuments } from './document-rules.ts'
import { importDirection, importEndings, pureImports } from './import-rules.ts'
import {
  fileLength,
  fileNames,
  lengthRatchet,
  longFilesMax,
  migrationNames,
  noBarrels,
} from './layout-rules.ts'
import { boundedScripts, scriptBindings, scriptHeaders } from './script-rules.ts'
import type { Rule, SourceFile } from './tree.ts'
import { bannedWords, untilded } from './word-rules.ts'

const file = (path: string, text = ''): SourceFile => ({ path, text })
const importing = (path: string, target: string, what = 'import { x }'): SourceFile =>
  file(path, `${what} from '${target}'\n`)
const lines = (count: number): string => 'x\n'.repeat(count)
const header = '-- KEYS state\n-- ARGV epoch\n-- returns 1\n'
const binding = (script: string): string =>
  `export const it = loadScript(here, '${script}', { keys: [], args: [] })`

interface Case {
  readonly rule: Rule
  /** Lists of files that break the rule; for each the rule names a file of the list. */
  readonly bad: readonly (readonly SourceFile[])[]
  readonly good: readonly SourceFile[]
}

const cases: Readonly<Record<string, Case>> = {
  'a file of 501 lines': {
    rule: fileLength,
    bad: [[file('src/a.ts', lines(501))], [file('src/lua/a.lua', lines(501))]],
    good: [file('src/a.ts', lines(500)), file('docs/A.md', lines(900))],
  },
  'one long file more than there may be': {
    rule: lengthRatchet,
    bad: [Array.from({ length: longFilesMax + 1 }, (_, n) => file(`src/a${n}.ts`, lines(301)))],
    good: [file('src/a.ts', lines(300)), file('src/a.test.ts', lines(400))],
  },
  'a name in another case, or a folder named by grammar': {
    rule: fileNames,
    bad: [
      [file('src/db/seatHolds.ts')],
      [file('test/support/Fake-clock.ts')],
      [file('src/domain/utils/money.ts')],
      [file('src/domain/seat_holds.lua')],
    ],
    good: [file('src/db/seat-holds.pg.test.ts'), file('README.md'), file('bench/README.md')],
  },
  'a migration without a name': {
    rule: migrationNames,
    bad: [[file('src/db/migrations/0001.sql')], [file('src/db/migrations/next.sql')]],
    good: [file('src/db/migrations/0001_more_room.sql')],
  },
  'a barrel': {
    rule: noBarrels,
    bad: [
      [file('src/a.ts', "export * from './b.ts'\n")],
      [file('src/a.ts', "export {\n  b,\n} from './b.ts'\n")],
      [file('src/a.ts', "export type { B } from './b.ts'\n")],
    ],
    good: [file('src/a.ts', "import { b } from './b.ts'\nexport const a = b\n")],
  },
  'an import against the direction': {
    rule: importDirection,
    bad: [
      [importing('src/db/redis.ts', '../domain/orders/order.ts')],
      [importing('src/db/redis.ts', '../compose.ts')],
      [importing('src/domain/orders/order-placing.ts', '../../streams/broker.ts', 'import type { x }')],
      [importing('src/domain/orders/order-placing.ts', '../../config.ts')],
      [importing('src/streams/broker.ts', '../server/channel.ts')],
      [importing('src/server/http.ts', '../db/transaction.ts')],
      [file('src/server/http.ts', "const redis = await import('../db/redis.ts')\n")],
      [importing('src/server/http.ts', '../crowd/buyer.ts')],
      [importing('src/client/retry.ts', '../domain/orders/order.ts')],
      [importing('src/client/retry.ts', '../crowd/buyer.ts')],
      [importing('src/crowd/buyer.ts', '../errors.ts')],
      [file('src/db/redis.ts', "import {\n  x,\n  y,\n} from '../streams/broker.ts'\n")],
    ],
    good: [
      importing('src/compose.ts', './server/server.ts'),
      importing('src/server/http.ts', '../streams/broker.ts'),
      importing('src/server/http.ts', '../db/postgres.ts', 'import type { x }'),
      importing('src/streams/broker.ts', '../domain/orders/order.ts'),
      importing('src/domain/orders/order-store.ts', '../../db/postgres.ts'),
      importing('src/domain/orders/order-store.ts', '../../errors.ts'),
      importing('src/crowd/buyer.ts', '../client/retry.ts'),
      importing('src/client/retry.ts', '../domain/orders/order-messages.ts'),
      importing('src/domain/orders/order-store.test.ts', '../../server/http.ts'),
    ],
  },
  'a pure file that does something': {
    rule: pureImports,
    bad: [
      [importing('src/domain/orders/order.ts', './order-store.ts')],
      [importing('src/domain/orders/order-messages.ts', '../../db/postgres.ts', 'import type { x }')],
      [importing('src/domain/orders/order-errors.ts', 'node:fs')],
    ],
    good: [
      importing('src/domain/orders/order-messages.ts', 'zod'),
      importing('src/domain/orders/order-errors.ts', '../../errors.ts'),
      importing('src/domain/orders/order-store.ts', 'node:fs'),
    ],
  },
  'an import without an ending': {
    rule: importEndings,
    bad: [[importing('src/a.ts', './b')], [importing('src/a.ts', '../b')]],
    good: [importing('src/a.ts', './b.ts'), importing('src/a.ts', 'zod')],
  },
  'a word that has no place here': {
    rule: bannedWords,
    bad: [
      ...['FIX~ME', 'TO~DO', 'XX~X', 'HA~CK'].map((mark) => [file('src/a.lua', untilded(`-- ${mark}: x`))]),
      ...['@ts-~ignore', '@ts-~expect-error', 'eslint-~disable', 'oxlint-~disable', 'c8 ~ignore'].map(
        (silencer) => [file('src/a.ts', untilded(`// ${silencer}`))],
      ),
      [file('src/a.ts', untilded('const b = a as ~any\n'))],
      [file('src/a.ts', 'export enum Color { Red }\n')],
      [file('src/a.test.ts', untilded("t.on~ly('x', () => {})\n"))],
      [file('test/a.ts', untilded("t.sk~ip('x', () => {})\n"))],
      [file('src/domain/a.ts', 'const now = new Date()\n')],
      [file('src/server/a.ts', 'await sql`select 1`\n')],
      [file('src/domain/a.ts', 'await sql.begin(work)\n')],
      [file('src/domain/a.ts', 'await redis.evalsha(sha)\n')],
      [file('README.md', untilded('cd /~work/main\n'))],
      [file('deploy/a.yml', untilded('url: https://registry.~npmjs.org\n'))],
      [file('docs/A.md', 'one\r\ntwo\r\n')],
    ],
    good: [
      file('src/a.ts', "it expires as any other\nimport type { Enumerated } from './work/b.ts'\n"),
      file('src/db/transaction.ts', 'await sql.begin(work)\n'),
      file('src/a.ts', 'new Date(atMs)\n'),
      file('src/domain/a.test.ts', 'await sql.begin(work)\n'),
    ],
  },
  'a script without a full header': {
    rule: scriptHeaders,
    bad: [
      [file('src/a.lua', '-- KEYS state\n-- ARGV epoch\nreturn 1\n')],
      [file('src/a.lua', '-- KEYS\n-- ARGV epoch\n-- returns 1\n')],
    ],
    good: [file('src/a.lua', `${header}-- @include part.lua\n`), file('src/part.lua', 'local x = 1\n')],
  },
  'a script that is not bound once': {
    rule: scriptBindings,
    bad: [
      [file('src/lua/a.lua', header)],
      [file('src/lua/a.lua', header), file('src/a.ts', `${binding('lua/a.lua')}\n${binding('lua/a.lua')}`)],
      [file('src/a.ts', binding('lua/gone.lua'))],
      [file('src/lua/a.lua', `${header}-- @include gone.lua\n`), file('src/a.ts', binding('lua/a.lua'))],
    ],
    good: [
      file('src/lua/a.lua', `${header}-- @include part.lua\n`),
      file('src/lua/part.lua', 'local x = 1\n'),
      file('src/a.ts', binding('lua/a.lua')),
    ],
  },
  'a script that searches': {
    rule: boundedScripts,
    bad: [[file('src/a.lua', "redis.call('KEYS', '*')")], [file('src/a.lua', "redis.call('HSCAN', key, 0)")]],
    good: [file('src/a.lua', "redis.call('HGET', key, field)")],
  },
  'a list of errors that nobody assembles': {
    rule: assembledErrors,
    bad: [
      [
        file('src/domain/a-errors.ts', 'export const aErrors = defineErrors({'),
        file('src/error-catalogue.ts'),
      ],
    ],
    good: [
      file('src/domain/a-errors.ts', 'export const aErrors = defineErrors({'),
      file('src/error-catalogue.ts', "area('A', aErrors)"),
    ],
  },
  'an error without a line in the document, or a line without an error': {
    rule: documentedErrors([generalErrors.internal]),
    bad: [
      [file('docs/ERRORS.md')],
      [file('docs/ERRORS.md', '| <a id="internal"></a> |\n| <a id="gone"></a> |')],
    ],
    good: [file('docs/ERRORS.md', '| <a id="internal"></a>`internal` |')],
  },
  'a generated document that was changed by hand': {
    rule: freshDocuments(new Map([['docs/A.md', 'as made\n']])),
    bad: [[file('docs/A.md', 'as made, almost\n')], [file('docs/B.md', 'as made\n'), file('docs/A.md')]],
    good: [file('docs/A.md', 'as made\n')],
  },
  'a link that leads nowhere': {
    rule: documentLinks,
    bad: [
      [file('README.md', '[a](docs/GONE.md)')],
      [file('docs/A.md', '[a](README.md#x)'), file('README.md')],
    ],
    good: [file('docs/A.md', '[a](../README.md#x) [b](https://example.com)'), file('README.md')],
  },
}

for (const [name, { rule, bad, good }] of Object.entries(cases)) {
  t.test(`${name} is found`, async (t) => {
    for (const files of bad) {
      const findings = rule(files)
      t.ok(findings.length > 0, files.map(({ path, text }) => `${path}: ${text.slice(0, 60)}`).join(' and '))
      for (const finding of findings) t.match(finding, /^[\w./-]+:/)
    }
    t.same(rule(good), [])
  })
}
