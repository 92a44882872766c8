import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { machine } from './report.ts'
import type { Row } from './rows.ts'
import type { Curve } from './turn.ts'

/** What a run has found, as it is kept in `latest.json`. */
export interface Results {
  readonly machine: Omit<ReturnType<typeof machine>, 'commit'>
  /** When it began, ISO 8601. */
  readonly at: string
  readonly commit: string
  readonly form: 'quick' | 'full'
  readonly rows: readonly Row[]
  readonly curves: readonly (Curve & { readonly question: string })[]
  /** Counts that were wrong: with one of them nothing else of its question is worth anything. */
  readonly wrong: readonly { readonly question: string; readonly name: string; readonly detail: string }[]
}

export async function keepResults(folder: string, results: Results): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'latest.json'), `${JSON.stringify(results, null, 2)}\n`)
}
