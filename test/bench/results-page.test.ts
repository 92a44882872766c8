import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { figuresChart, resultsPage } from '../../bench/report/results-page.ts'
import { keepResults, type Results } from '../../bench/report/results.ts'
import { rowOf, type Goal, type Row } from '../../bench/measure/rows.ts'

const limit = [200, 220]

function row(question: string, metric: string, ours: readonly number[], goal?: Goal): Row {
  return { question, ...rowOf({ metric, unit: 'a second', ours, limit, goal }) }
}

const results: Results = {
  machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 24, kernel: '6.1', node: 'v20.20.2', loadAverage: 0.25 },
  at: '2026-11-28T15:04:35.191Z',
  commit: 'abc1234',
  form: 'full',
  questions: [
    { name: 'join', about: 'how many can join' },
    { name: 'map', about: 'how soon others see it' },
  ],
  rows: [
    row('join', 'joins', [190, 200], { of: 'limit', least: 0.8 }),
    row('join', 'joins of strangers', [100, 110], { of: 'limit', least: 0.8 }),
    row('map', 'frames', [1000, 12_345], { of: 'ours', least: 1 }),
  ],
  curves: [
    {
      question: 'join',
      title: 'Time by the length of the line',
      x: { name: 'length', unit: 'people' },
      y: { name: 'time', unit: 'µs' },
      isLog: true,
      lines: [
        {
          name: 'ranks',
          points: [
            [100, 20],
            [10_000, 40],
          ],
        },
        {
          name: 'counting',
          points: [
            [100, 30],
            [10_000, 3000],
          ],
        },
      ],
      note: 'A rank is found by halving.',
    },
  ],
  wrong: [],
}

const hostile = `<img src=x onerror="alert('1')">&{b}`

/** What stands in the page under a heading, without its tags. */
function textOf(page: string): string {
  return page.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
}

void t.test('every row is in the page, and so are machine, commit, time and form', async (t) => {
  const text = textOf(resultsPage(results))
  for (const { metric } of results.rows) t.ok(text.includes(metric), metric)
  for (const what of ['2 × Some CPU, 24 GiB', 'abc1234', '2026-11-28 15:04 UTC', 'Form full'])
    t.ok(text.includes(what), what)
  t.match(
    text,
    'joins 195 a second 190 … 200 210 0.929',
    'a row is told with its unit, spread, limit and ratio',
  )
  t.match(textOf(resultsPage({ ...results, form: 'quick' })), 'Form quick')
})

void t.test('a goal that is missed is told as missed, in words', async (t) => {
  const text = textOf(resultsPage(results))
  t.match(text, /joins 195 .*?≥ 0.8 × limit ✓ reached joins of strangers 105 .*?≥ 0.8 × limit ✗ missed/)
  t.match(text, '3 figures, 3 of them with a goal: 2 reached, 1 missed.')
  t.match(text, '0.5 × limit, goal ≥ 0.8 MISSED', 'and by its bar')
  const peer = { name: 'somebody whose name is long and tells of much', figures: [400] }
  const beside = { metric: 'joins', unit: 'a second', ours: [100], peer }
  const long = { question: 'join', ...rowOf({ ...beside, goal: { of: 'peer', least: 0.8 } }) }
  t.match(
    resultsPage({ ...results, rows: [long] }),
    '>goal ≥ 0.8 MISSED</text>',
    'in a line of its own where there is no room',
  )
  const unknown = row('join', 'nobody knows', [Number.NaN], { of: 'limit', least: 0.8 })
  t.match(textOf(resultsPage({ ...results, rows: [unknown] })), /nobody knows not known .*✗ missed/)
})

void t.test('wrong counts stand before all figures', async (t) => {
  const wrong = [{ question: 'map', name: 'deltas that followed', detail: '5 of 6' }]
  const text = textOf(resultsPage({ ...results, wrong }))
  t.match(text, /Wrong: 1 count .*map: deltas that followed 5 of 6 .*All figures/)
  t.notMatch(text, 'Every count of what was done was right')
  t.match(textOf(resultsPage(results)), 'Every count of what was done was right')
})

void t.test('a question of which nothing came is told', async (t) => {
  const [first] = results.rows
  const text = textOf(resultsPage({ ...results, rows: first === undefined ? [] : [first] }))
  t.match(text, 'map how soon others see it nothing was measured')
})

void t.test('a curve is drawn and told, as a table and with its sentence', async (t) => {
  const page = resultsPage(results)
  t.match(page, /<svg[^>]*role="img"[^>]*aria-labelledby="question-join-curve-1-title/)
  t.match(textOf(page), 'length (people) ranks (µs) counting (µs) 100 20 30 10,000 40 3,000')
  t.match(page, '<p>A rank is found by halving.</p>')
})

void t.test('text is text, wherever it comes from', async (t) => {
  const [curve] = results.curves
  const [first] = results.rows
  if (curve === undefined || first === undefined) throw new Error('there is a curve and a row')
  const page = resultsPage({
    ...results,
    machine: { ...results.machine, cpu: hostile },
    commit: hostile,
    questions: [{ name: hostile, about: hostile }],
    rows: [
      {
        ...first,
        question: hostile,
        metric: hostile,
        unit: hostile,
        goal: hostile,
        ratioTo: 'peer',
        peer: 1,
        peerName: hostile,
      },
    ],
    curves: [
      {
        ...curve,
        question: hostile,
        title: hostile,
        note: hostile,
        x: { name: hostile, unit: hostile },
        y: { name: hostile, unit: hostile },
        lines: [
          {
            name: hostile,
            points: [
              [1, 1],
              [2, 2],
            ],
          },
        ],
      },
    ],
    wrong: [{ question: hostile, name: hostile, detail: hostile }],
  })
  holdsNone(t, page, /<img|onerror="|'1'/g)
  t.ok(page.split('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;').length > 20)
  isWellFormed(t, page)
})

void t.test('the page needs no script and nothing from elsewhere', async (t) => {
  const page = resultsPage(results)
  holdsNone(t, page, /<script|javascript:|\son\w+=/gi)
  holdsNone(t, page, /\s(?:src|srcset|action|data|xlink:href)=|@import|url\((?!#)/gi)
  holdsNone(t, page.replaceAll('xmlns="http://www.w3.org/2000/svg"', ''), /.*\/\/.*|href="(?!#)/g)
  isWellFormed(t, page)
})

void t.test('no two things of a page have one name, and what is named is there', async (t) => {
  const page = resultsPage(results)
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
  t.equal(new Set(ids).size, ids.length)
  for (const [, id] of page.matchAll(/(?:url\(|href=")#([^")]*)/g)) t.ok(ids.includes(id))
  t.ok(ids.length >= 6)
})

void t.test('the same results are the same page, whatever was drawn before', async (t) => {
  t.equal(resultsPage(results), resultsPage(results))
  holdsNone(t, resultsPage(results), /\bzr\d+/g)
})

void t.test('the picture of the project shows one judged ratio of each question', async (t) => {
  const svg = figuresChart(results)
  isWellFormed(t, svg)
  t.match(svg, 'xmlns="http://www.w3.org/2000/svg"')
  t.match(svg, 'join: joins')
  t.match(svg, '0.929 × limit, goal ≥ 0.8 reached')
  t.notMatch(svg, 'strangers')
  t.notMatch(svg, 'map')
  isWellFormed(t, figuresChart({ ...results, rows: [] }))
})

void t.test('what is kept can be drawn anew, and tells no path of this machine', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'openrun-results-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const detail = `Error: no\n at a (${root}bench/map.ts:1:2)\n at ${new URL('../..', import.meta.url).href}bench/x.ts`
  const measured = { metric: 'nobody knows', unit: 'ms', ours: [100], limit: [Number.NaN] }
  const unknown = { question: 'map', ...rowOf({ ...measured, goal: { of: 'limit', least: 0.8 } }) }
  await keepResults(folder, {
    ...results,
    rows: [...results.rows, unknown],
    wrong: [{ question: 'map', name: 'the question was answered', detail }],
  })
  const [json, page, svg] = await Promise.all(
    ['latest.json', 'index.html', 'figures.svg'].map((name) => readFile(join(folder, name), 'utf8')),
  )
  const kept = JSON.parse(json ?? '') as Results
  t.equal(resultsPage(kept), page)
  t.equal(figuresChart(kept), svg)
  for (const text of [json ?? '', page ?? '', svg ?? ''])
    t.same([text.includes(root), text.includes('file:')], [false, false])
  t.match(page, 'at a (bench/map.ts:1:2)')
  t.match(
    textOf(page ?? ''),
    'nobody knows 100 ms 100 … 100 not known not known not known … not known ≥ 0.8 × limit ✗ missed',
  )
})

/** Tells what was found and not, as a match would, all of the page. */
function holdsNone(t: Test, text: string, pattern: RegExp): void {
  t.same(text.match(pattern) ?? [], [])
}

/** Every tag that opens closes again, in the right order, and every attribute stands in quotation marks. */
function isWellFormed(t: Test, markup: string): void {
  const open: string[] = []
  const tag = /<(\/?)([a-z]+\d?)((?:\s+[\w:-]+="[^"<>]*")*)\s*(\/?)>/gi
  const body = markup.replace('<!doctype html>', '')
  for (const [, closes, name = '', , alone] of body.matchAll(tag)) {
    if (closes === '/') t.equal(open.pop(), name)
    else if (alone !== '/') open.push(name)
  }
  t.same(open, [])
  holdsNone(t, body.replaceAll(tag, ''), /<.*/g)
}
