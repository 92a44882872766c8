// Runs the tests, each file in a process of its own, and ends with `N passed, N failed`.
//   node tools/run-tests.mjs            all of them, compiled, and writes down what they went through
//   node tools/run-tests.mjs FILE…      these alone, as they are written
// tap's command would put its hooks under every import of every test, which doubles what most of them cost.
import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import t from 'tap'
import TestReporter from './test-reporter.mjs'

/** Beside a test that waits for something, another one works. */
const jobs = 3
const timeoutSeconds = 600
const env = { ...process.env, TAP_TIMEOUT: String(timeoutSeconds) }
const compiled = '.tests'

const asked = process.argv.slice(2)
const files = asked.length > 0 ? asked : compiledTests()
const beforeEach = asked.length > 0 ? ['--import=tsx'] : ['--import=./tools/collect-coverage.mjs']
if (asked.length === 0) await rm('.tap/coverage', { recursive: true, force: true })

t.jobs = jobs
// Each file has its own time; all of them together take as long as they take.
t.setTimeout(0)
t.pipe(new TestReporter()).pipe(process.stdout)
t.register()
for (const name of files) {
  const args = [...beforeEach, '--enable-source-maps', '--disable-warning=ExperimentalWarning', name]
  // Without the options by which tap would add its hooks.
  void t.spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
    name,
    buffered: true,
    timeout: timeoutSeconds * 1_000,
    env,
  })
}
t.end()

function compiledTests() {
  const found = readdirSync(compiled, { recursive: true, encoding: 'utf8' })
  const tests = found.filter((path) => path.endsWith('.test.js')).toSorted()
  return tests.map((path) => `${compiled}/${path}`)
}
