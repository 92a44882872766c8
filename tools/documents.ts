import { configurationTable } from '../src/config-help.ts'
import { errorAreas, type ErrorArea } from '../src/error-catalogue.ts'
import type { ErrorDefinition } from '../src/errors.ts'
import { documentsWithResults } from './bench-results.ts'

/** The documents that are written from the code, by their path. */
export function documents(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/ERRORS.md', errorsDocument(errorAreas)],
    ['docs/CONFIGURATION.md', configurationDocument()],
    ...documentsWithResults(),
  ])
}

const madeFrom = (source: string): string =>
  `<!-- Written by \`npm run docs\` from ${source}. Changes made here are lost. -->`

/** One table for each area. */
export function errorsDocument(areas: readonly ErrorArea[]): string {
  return [
    '# Errors',
    '',
    madeFrom('the error lists of the areas'),
    '',
    'A refused request is answered with `application/problem+json` (RFC 9457). Decide by `code`: the list below is',
    'closed, and a code keeps its meaning. `retryable` says that the same request may succeed later without being',
    'changed; where `Retry-After` is given, wait that long. `errors` names each bad field, and `traceId` is what to',
    'quote to whoever runs the server.',
    ...areas.flatMap(({ title, errors }) => ['', `## ${title}`, '', ...errorTable(errors)]),
    '',
  ].join('\n')
}

function errorTable(errors: readonly ErrorDefinition[]): string[] {
  const rows = errors.map(({ code, status, retryable, title, advice }) =>
    [`<a id="${code}"></a>\`${code}\``, String(status), retryable ? 'yes' : 'no', title, advice].map(cell),
  )
  const head = [
    ['code', 'status', 'retryable', 'what happened', 'what to do'],
    ['---', '---', '---', '---', '---'],
  ]
  return [...head, ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}

function configurationDocument(): string {
  return [
    '# Configuration',
    '',
    madeFrom('`src/config.ts`'),
    '',
    'Each setting is an environment variable, and some are options too; an option wins over its variable. A variable',
    'that begins with `OPENRUN_` and is not in this list is reported at the start, so that no typing mistake goes',
    'unseen. `npm start -- --help` prints the same list.',
    '',
    configurationTable(),
    '',
  ].join('\n')
}
