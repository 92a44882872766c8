import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { projectFolder as root } from '../support/project-folder.ts'

/** Code that must not pass, by file, each with the rule that stops it. */
const planted: Readonly<Record<string, readonly [rule: string, text: string]>> = {
  'src/domain/a/floating.ts': ['no-floating-promises', 'const work = async () => 1\nwork()\n'],
  'src/domain/a/misused.ts': [
    'no-misused-promises',
    'const work = async () => 1\nif (work()) work().catch(() => 0)\n',
  ],
  'src/domain/a/anything.ts': ['no-explicit-any', 'export const a = (b: any) => b as unknown\n'],
  'src/domain/a/unused.ts': ['no-unused-vars', 'const a = 1\n'],
  'src/domain/a/asleep.ts': ['no-restricted-globals', 'export const a = () => setTimeout(() => 0, 10)\n'],
  'src/domain/a/now.ts': ['no-restricted-properties', 'export const a = () => Date.now()\n'],
  'src/domain/a/chance.ts': ['no-restricted-properties', 'export const a = () => Math.random()\n'],
  'src/domain/a/loud.ts': ['no-console', 'console.log(1)\n'],
  'src/domain/a/setting.ts': ['no-process-env', "export const a = process.env['A']\n"],
  'src/domain/a/lazy.ts': ['no-default-export', 'export default 1\n'],
  'src/domain/a/sideways.ts': [
    'no-restricted-imports',
    "import { a } from '../../server/b.ts'\nexport const b = a\n",
  ],
  'src/db/upwards.ts': [
    'no-restricted-imports',
    "import { a } from '../domain/a/b.ts'\nexport const b = a\n",
  ],
  'src/streams/socket.ts': [
    'no-restricted-imports',
    "import { a } from '../server/b.ts'\nexport const b = a\n",
  ],
  'src/server/store.ts': ['no-restricted-imports', "import { a } from '../db/b.ts'\nexport const b = a\n"],
  'src/client/insider.ts': [
    'no-restricted-imports',
    "import { a } from '../domain/a/b.ts'\nexport const b = a\n",
  ],
  'src/domain/a/egg.ts': ['no-cycle', "import { hen } from './hen.ts'\nexport const egg = () => hen\n"],
  'src/domain/a/hen.ts': ['no-cycle', "import { egg } from './egg.ts'\nexport const hen = () => egg\n"],
  'src/domain/a/long.ts': ['max-lines-per-function', `export function a() {\n${'  a()\n'.repeat(70)}}\n`],
  'src/domain/a/CamelCase.ts': ['filename-case', 'export const a = 1\n'],
}

/** Code that must pass. */
const allowed: Readonly<Record<string, string>> = {
  'src/server/passing-on.ts': "import type { A } from '../db/b.ts'\nexport const b = (a: A): A => a\n",
  'src/client/protocol.ts': "import { a } from '../domain/a/a-messages.ts'\nexport const b = a\n",
  'src/domain/a/a-messages.ts': 'export const a = 1\n',
  'src/domain/a/b.ts': 'export const a = 1\n',
  'src/db/b.ts': 'export type A = 1\nexport const a = 1\n',
  'src/server/b.ts': 'export const a = 1\n',
}

t.test('the linter stops what it is there to stop, and nothing else', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'openrun-lint-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const texts = Object.entries(planted).map(([path, [, text]]) => [path, text] as const)
  for (const [path, text] of [...texts, ...Object.entries(allowed)]) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
    await copyFile(join(root, file), join(folder, file))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const found = await lint(folder)
  for (const [path, [rule]] of Object.entries(planted))
    t.ok(
      found.some((finding) => finding.path === path && finding.rule === rule),
      `${rule} in ${path}`,
    )
  t.same(
    found.filter(({ path }) => path in allowed),
    [],
  )
})

async function lint(folder: string): Promise<{ path: string; rule: string }[]> {
  // Without the variables of the test runner, whose loader cannot load the linter.
  const command = ['-i', process.execPath, join(root, 'node_modules/oxlint/bin/oxlint')]
  const output = await new Promise<string>((resolve) => {
    execFile('env', [...command, '--type-aware', '--format=json', 'src'], { cwd: folder }, (_error, stdout) =>
      resolve(stdout),
    )
  })
  const { diagnostics } = JSON.parse(output) as { diagnostics: { code: string; filename: string }[] }
  return diagnostics.map(({ code, filename }) => ({
    path: filename,
    rule: /\((.+)\)/.exec(code)?.[1] ?? code,
  }))
}
