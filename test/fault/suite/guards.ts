import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Something that keeps a promise, how to take it out of the built program, and the faults that show that it is gone. */
export interface Guard {
  readonly name: string
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[]
  /** Takes a guard out of the database. */
  readonly statement?: string
  /** None: a crowd alone shows it. */
  readonly faults: readonly string[]
  /** So often it is tried at the most. */
  readonly rounds: number
}

export const guards: readonly Guard[] = [
  {
    name: 'gate',
    edits: [
      { file: 'domain/queue/lua/admission-admit.lua', from: 'max_active - active', to: '1000 - active' },
    ],
    faults: [],
    rounds: 1,
  },
  {
    name: 'sweep',
    edits: [{ file: 'domain/units/lua/hold-sweep.lua', from: 'record.expires <= now', to: 'false' }],
    faults: [],
    rounds: 1,
  },
  {
    name: 'order id of the hold',
    edits: [
      {
        file: 'domain/orders/order-placing.js',
        from: "return idFrom('ord', 'hold', holdId);",
        to: "return idFrom('ord', 'hold', holdId, String(Math.random()));",
      },
    ],
    faults: ['answers to buyers are lost', 'answers of PostgreSQL are lost, commits among them'],
    rounds: 2,
  },
  {
    name: 'owner check',
    edits: [
      {
        file: 'domain/units/lua/places-apply.lua',
        from: "if owner == 'p:' .. entry.order or owner == 's:' .. entry.order then",
        to: 'if owner then',
      },
    ],
    faults: ['answers of PostgreSQL are lost, commits among them', 'Redis is killed', 'the writer is killed'],
    rounds: 3,
  },
  {
    name: 'pin',
    edits: [
      {
        file: 'domain/units/lua/hold-pin.lua',
        from: "  redis.call('ZREM', hold_ends_key, hold)\n",
        to: '',
      },
      {
        file: 'domain/units/lua/hold-sweep.lua',
        from: 'if not record or record.order then',
        to: 'if not record then',
      },
    ],
    faults: ['a way to PostgreSQL is frozen', 'PostgreSQL is killed', 'a process is cut off from PostgreSQL'],
    rounds: 3,
  },
  {
    name: 'run id',
    edits: [{ file: 'domain/sale-state/lua/guard.lua', from: 'or s[2] ~= run_id', to: '' }],
    faults: ['Redis is killed', 'Redis forgets everything'],
    rounds: 2,
  },
  {
    name: 'places from bookings',
    edits: [
      {
        file: 'domain/sale-state/sale-rebuilding.js',
        from: 'places: await standingPlaces(tx, saleId)',
        to: 'places: []',
      },
    ],
    faults: ['Redis forgets everything'],
    rounds: 2,
  },
  {
    name: 'tokens from admissions',
    edits: [
      {
        file: 'domain/sale-state/sale-rebuilding.js',
        from: 'admissions: await bindingAdmissions(tx, saleId)',
        to: 'admissions: []',
      },
    ],
    faults: ['Redis forgets everything'],
    rounds: 2,
  },
  {
    name: 'fence',
    edits: [
      {
        file: 'domain/queue/admission-store.js',
        from: ' and fence = ${fence} for share)',
        to: ' for share)',
      },
      {
        file: 'domain/queue/lua/admission-admit.lua',
        from: 'if s[1] ~= fence then return FENCED end',
        to: '',
      },
      {
        file: 'domain/queue/lua/admission-confirm.lua',
        from: '~= fence then return FENCED end',
        to: "== '' then return FENCED end",
      },
    ],
    faults: [
      'the writer sleeps past its lease',
      'Redis forgets everything',
      'the writer sleeps past its lease',
    ],
    rounds: 3,
  },
  {
    name: 'unique index of a place',
    edits: [
      {
        file: 'domain/sale-state/sale-rebuilding.js',
        from: 'places: await standingPlaces(tx, saleId)',
        to: 'places: []',
      },
    ],
    statement: 'drop index bookings_one_per_place',
    faults: ['Redis forgets everything'],
    rounds: 2,
  },
]

const built = fileURLToPath(new URL('../../../build', import.meta.url))
const project = fileURLToPath(new URL('../../..', import.meta.url))
/** What the program finds beside its folder. */
const beside = ['node_modules', 'package.json', 'public']

/** A copy of the built program without a guard. Throws where the program has changed and the edit fits no more. */
export async function takeOut({
  name,
  edits,
}: Guard): Promise<{ readonly program: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'openrun-without-'))
  const program = join(folder, 'build')
  await cp(built, program, { recursive: true })
  for (const name of beside) await symlink(join(project, name), join(folder, name))
  for (const { file, from, to } of edits) {
    const path = join(program, file)
    const text = await readFile(path, 'utf8')
    if (!text.includes(from)) throw new Error(`the guard ${name} is not found in ${file}: ${from}`)
    await writeFile(path, text.replace(from, to))
  }
  return { program, remove: () => rm(folder, { recursive: true, force: true }) }
}
