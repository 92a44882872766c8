import { dirname, join } from 'node:path'
import type { Rule, SourceFile } from './tree.ts'

interface Import {
  /** Relative to the root for a file of ours, else the name of the package. */
  readonly target: string
  readonly typeOnly: boolean
}

/** Rooms of the house, and what each of them may know besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  db: ['ground'],
  domain: ['db', 'ground'],
  streams: ['domain', 'db', 'ground'],
  server: ['streams', 'domain', 'ground'],
  client: [],
  crowd: ['client'],
  ground: [],
}

/** What stands under every room of the server. The other files in `src/` compose. */
const ground = ['errors', 'ids', 'clock', 'money', 'log', 'service', 'start-error'].map(
  (name) => `src/${name}.ts`,
)

/** Files without any doing: they may be imported from everywhere, and import only each other and zod. */
export const pureFiles = [
  'src/errors.ts',
  'src/domain/accounts/account.ts',
  'src/domain/chat/chat-entry.ts',
  'src/domain/chat/chat-keys.ts',
  'src/domain/chat/guest-name.ts',
  'src/domain/orders/order.ts',
  'src/domain/payments/payment.ts',
  'src/domain/queue/line-order.ts',
  'src/domain/queue/queue-place.ts',
  'src/domain/sale-state/sale-keys.ts',
  'src/domain/sale-state/sale-failures.ts',
  'src/domain/sales/hall.ts',
  'src/domain/sales/sale.ts',
  'src/domain/sales/sale-view.ts',
  'src/domain/sales/slots.ts',
  'src/domain/sales/unit-table.ts',
  'src/domain/units/best-available.ts',
  'src/domain/units/delta-ring.ts',
  'src/domain/units/hold.ts',
  'src/domain/units/single-seats.ts',
]
const pureSuffixes = /-(messages|errors)\.ts$/

export const importDirection: Rule = (files) =>
  sourcesOf(files).flatMap((file) => {
    const from = roomOf(file.path)
    return importsOf(file)
      .filter((found) => !isAllowed(from, found))
      .map(({ target }) => `${file.path}: ${from} may not import ${target}`)
  })

export const pureImports: Rule = (files) =>
  sourcesOf(files)
    .filter(({ path }) => isPure(path))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => target !== 'zod' && !isPure(target))
        .map(({ target }) => `${file.path}: a pure file may not import ${target}`),
    )

/** Every relative import names its file to the last letter, as Node does. */
export const importEndings: Rule = (files) =>
  files
    .filter(({ path }) => /\.(ts|mjs)$/.test(path))
    .flatMap((file) =>
      specifiersOf(file)
        .filter(({ specifier }) => specifier.startsWith('.') && !/\.(ts|mjs|json|js)$/.test(specifier))
        .map(({ specifier }) => `${file.path}: ${specifier} has no ending`),
    )

function isAllowed(from: string, { target, typeOnly }: Import): boolean {
  if (!target.startsWith('src/') || from === 'root') return true
  const to = roomOf(target)
  if (to === from || mayImport[from]?.includes(to)) return true
  // The edge passes the stores on without knowing what they can do.
  if (from === 'server' && to === 'db') return typeOnly
  return (from === 'client' || from === 'crowd') && to === 'domain' && target.endsWith('-messages.ts')
}

function roomOf(path: string): string {
  if (ground.includes(path)) return 'ground'
  const [, room = '', rest] = path.split('/')
  return rest === undefined ? 'root' : room
}

function isPure(path: string): boolean {
  return pureFiles.includes(path) || (path.startsWith('src/domain/') && pureSuffixes.test(path))
}

function sourcesOf(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => /^src\/.*\.ts$/.test(path) && !/(\.test|-conformance)\.ts$/.test(path))
}

function importsOf(file: SourceFile): Import[] {
  return specifiersOf(file).map(({ specifier, typeOnly }) => ({
    target: specifier.startsWith('.') ? join(dirname(file.path), specifier) : specifier,
    typeOnly,
  }))
}

function specifiersOf({ text }: SourceFile): { specifier: string; typeOnly: boolean }[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gm)
  const calls = text.matchAll(/\bimport\('([^']+)'\)/g)
  return [
    ...[...statements].map(([, type, specifier = '']) => ({ specifier, typeOnly: type !== undefined })),
    ...[...calls].map(([, specifier = '']) => ({ specifier, typeOnly: false })),
  ]
}
