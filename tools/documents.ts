import { configurationTable } from '../src/config-help.ts'
import { errorAreas, type ErrorArea } from '../src/error-catalogue.ts'
import type { ErrorDefinition } from '../src/errors.ts'
import { conditionTexts } from '../src/streams/conditions.ts'
import { documentsWithResults } from './bench-results.ts'

/** The documents that are written from the code, by their path. */
export function documents(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/ERRORS.md', errorsDocument(errorAreas)],
    ['docs/CONFIGURATION.md', configurationDocument()],
    ['docs/OPERATING.md', operatingDocument()],
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

function operatingDocument(): string {
  const rows = Object.entries(conditionTexts).map(
    ([name, { level, means, advice }]) => `| \`${name}\` | ${level} | ${cell(means)} | ${cell(advice)} |`,
  )
  return [
    '# Operating',
    '',
    madeFrom('`src/streams/conditions.ts`'),
    '',
    'Whatever is not as it should be is a condition. It begins and ends by itself, and is told in three places:',
    '',
    '- `GET /readyz` lists the conditions that hold, since when, and what to do. Its status is `ready`, `degraded` or',
    '  `draining`.',
    '- `GET /metrics` has `openrun_condition{name}`, 1 while it holds, and `openrun_conditions_begun_total{name}`, which also',
    '  shows what was over between two looks.',
    '- The log has one line when it begins, with `condition`, `since` and what to do, and one when it is over, however many',
    '  requests it touches. What comes and goes within three seconds is told once. With each request, the log tells of it',
    '  at the level `debug` only.',
    '',
    'Only a process that is about to stop answers `/readyz` with 503. A store that is away is away for all processes: if they',
    'said 503 a balancer would take all of them out of service, and with them the pages, the reads and the orders that are',
    'being saved. What cannot be done is answered 503 with `Retry-After`, request by request.',
    '',
    'Processes without the role `edge` have no port: they write to the log. What concerns all processes is read from the',
    'stores, so each edge tells of it too: sales without a writer, late payments, the outbox, lines that are put back.',
    'Live connections that are closed because they do not read are counted in `openrun_slow_clients_closed_total`.',
    '',
    '| condition | level | what it means | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
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
