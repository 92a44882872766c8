import t from 'tap'
import TestReporter from '../../tools/test-reporter.mjs'

async function reportOn(tap: string): Promise<string> {
  const reporter = new TestReporter()
  reporter.end(`TAP version 14\n${tap}`)
  let text = ''
  for await (const chunk of reporter) text += String(chunk)
  return text
}

const subtest = (points: string, closing: string): string => `# Subtest: src/a.test.ts\n${points}${closing}\n`

t.test('counts assertions, not files, and ends with the counts', async (t) => {
  const text = await reportOn(
    `${subtest('    ok 1 - a\n    ok 2 - b\n    1..2\n', 'ok 1 - src/a.test.ts # time=1500ms')}1..1\n`,
  )
  t.equal(text, 'ok        1.5 s  src/a.test.ts\n2 passed, 0 failed\n')
})

t.test('tells a failure with its name, its difference and its place', async (t) => {
  const failure =
    '    not ok 1 - is two\n      ---\n      diff: |\n        -2\n        +1\n      stack: src/a.test.ts:3:5\n      ...\n    ok 2 - b\n    1..2\n'
  const text = await reportOn(`${subtest(failure, 'not ok 1 - src/a.test.ts')}1..1\n`)
  t.match(text, /✗ src\/a\.test\.ts > is two\n {4}-2\n {4}\+1\n {4}src\/a\.test\.ts:3:5\n/)
  t.match(text, /\n1 passed, 1 failed\n$/)
})

t.test('a file that fails after its last assertion is a failure', async (t) => {
  const text = await reportOn(
    `${subtest('    ok 1 - a\n    1..1\n', 'not ok 1 - src/a.test.ts\n  ---\n  exitCode: 1\n  ...')}1..1\n`,
  )
  t.match(text, /exitCode: 1/)
  t.match(text, /\n1 passed, 1 failed\n$/)
})

t.test('a plan that does not hold is a failure', async (t) => {
  t.match(
    await reportOn(`${subtest('    ok 1 - a\n    1..2\n', 'not ok 1 - src/a.test.ts')}1..1\n`),
    /1 failed\n$/,
  )
  t.match(await reportOn('ok 1 - a\n1..3\n'), /1 failed\n$/)
})

t.test('a bail-out and an empty run are failures', async (t) => {
  t.match(await reportOn('Bail out! no room\n'), /no room[^]*\n0 passed, [1-9]\d* failed\n$/)
  t.match(await reportOn(''), /\n0 passed, 1 failed\n$/)
})

t.test('calls a compiled test by the file that was written', async (t) => {
  const name = '.tests/src/a.test.js'
  const text = await reportOn(
    `# Subtest: ${name}\n    ok 1 - later # SKIP not now\n    not ok 2 - b\n    1..2\nnot ok 1 - ${name}\n1..1\n`,
  )
  t.match(text, /left out {6}src\/a\.test\.ts > later\n/)
  t.match(text, /✗ src\/a\.test\.ts > b\n/)
  t.match(text, /not ok +\d+\.\d s {2}src\/a\.test\.ts\n/)
  t.notMatch(text, /\.tests/)
})

t.test('names what was left out', async (t) => {
  const points = '    ok 1 - later # SKIP not now\n    ok 2 - b\n    1..2\n'
  const text = await reportOn(`${subtest(points, 'ok 1 - src/a.test.ts')}1..1\n`)
  t.match(text, /left out {6}src\/a\.test\.ts > later\n/)
  t.match(text, /1 left out\n1 passed, 0 failed\n$/)
})
