// Says how much of the product the last `npm test` went through, and fails below the floor.
// tap collects; the report is made here, because the source maps of tsx come without their sources.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Report } from 'c8'

/** Percent. Raised when there is more, never lowered. */
const floor = { lines: 95, branches: 90, functions: 95 }
const collected = '.tap/coverage'
const completed = '.tap/coverage-completed'

/** What Node writes about one process, as far as it matters here. */
interface ProcessCoverage {
  readonly 'source-map-cache'?: Readonly<Record<string, { readonly data: SourceMap | null }>>
}
interface Summary {
  readonly total: Readonly<Record<keyof typeof floor, { readonly pct: number }>>
}
interface SourceMap {
  readonly sources: readonly string[]
  sourcesContent?: (string | null)[]
}

await rm(completed, { recursive: true, force: true })
await mkdir(completed, { recursive: true })
for (const name of await readdir(collected)) {
  const coverage = JSON.parse(await readFile(join(collected, name), 'utf8')) as ProcessCoverage
  await complete(coverage)
  await writeFile(join(completed, name), JSON.stringify(coverage))
}
const reports = '.tap/report'
await new Report({
  include: ['src/**/*.ts'],
  exclude: ['**/*.test.ts', '**/*-conformance.ts'],
  reporter: ['json-summary', ...process.argv.slice(2)],
  reportsDirectory: reports,
  tempDirectory: completed,
}).run()

const { total } = JSON.parse(await readFile(join(reports, 'coverage-summary.json'), 'utf8')) as Summary
for (const what of ['lines', 'branches', 'functions'] as const) {
  const { pct } = total[what]
  console.log(`${what.padEnd(9)} ${pct.toFixed(1)} % covered, at least ${floor[what]} %`)
  if (!(pct >= floor[what])) process.exitCode = 1
}

async function complete(coverage: ProcessCoverage): Promise<void> {
  for (const { data } of Object.values(coverage['source-map-cache'] ?? {})) {
    const [source, ...others] = data?.sources ?? []
    if (!data || others.length > 0 || !source?.startsWith('file:')) continue
    data.sourcesContent = [await readFile(fileURLToPath(source), 'utf8')]
  }
}
