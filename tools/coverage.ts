// Says how much of the product the last `npm test` went through, and fails below the floor.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Report } from 'c8'

/** Percent. Raised when there is more, never lowered. */
const floor = { lines: 95, branches: 90, functions: 95 }

interface Summary {
  readonly total: Readonly<Record<keyof typeof floor, { readonly pct: number }>>
}

const reports = '.tap/report'
await new Report({
  include: ['src/**/*.ts'],
  exclude: ['**/*.test.ts', '**/*-conformance.ts'],
  // What ran was compiled: it counts as what it was compiled from.
  excludeAfterRemap: true,
  reporter: ['json-summary', ...process.argv.slice(2)],
  reportsDirectory: reports,
  tempDirectory: '.tap/coverage',
}).run()

const { total } = JSON.parse(await readFile(join(reports, 'coverage-summary.json'), 'utf8')) as Summary
for (const what of ['lines', 'branches', 'functions'] as const) {
  const { pct } = total[what]
  console.log(`${what.padEnd(9)} ${pct.toFixed(1)} % covered, at least ${floor[what]} %`)
  if (!(pct >= floor[what])) process.exitCode = 1
}
