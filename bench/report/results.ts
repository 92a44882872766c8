import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { machine } from './report.ts'
import { figuresChart, resultsPage } from './results-page.ts'
import type { Row } from '../measure/rows.ts'
import type { Curve } from '../measure/turn.ts'

/** What a run has found, as it is kept in `latest.json`. */
export interface Results {
  readonly machine: Omit<ReturnType<typeof machine>, 'commit'>
  /** When it began, ISO 8601. */
  readonly at: string
  readonly commit: string
  readonly form: 'quick' | 'full'
  readonly questions: readonly { readonly name: string; readonly about: string }[]
  readonly rows: readonly Row[]
  readonly curves: readonly (Curve & { readonly question: string })[]
  /** Counts that were wrong: with one of them nothing else of its question is worth anything. */
  readonly wrong: readonly { readonly question: string; readonly name: string; readonly detail: string }[]
}

const project = fileURLToPath(new URL('../..', import.meta.url))

/** Keeps them to be read on, to be looked at, and to be shown; the same results are the same files everywhere. */
export async function keepResults(folder: string, results: Results): Promise<void> {
  const json = JSON.stringify(withoutPaths(results), null, 2)
  // What is drawn is what is kept: a figure that is not known is null in both.
  const kept = JSON.parse(json) as Results
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'latest.json'), `${json}\n`)
  await writeFile(join(folder, 'index.html'), resultsPage(kept))
  await writeFile(join(folder, 'figures.svg'), figuresChart(kept))
}

/** Where the project lies on this machine is told by the stack of an error. */
function withoutPaths(results: Results): Results {
  const wrong = results.wrong.map(({ detail, ...count }) => ({
    ...count,
    detail: detail.replaceAll(pathToFileURL(project).href, '').replaceAll(project, ''),
  }))
  return { ...results, wrong }
}
