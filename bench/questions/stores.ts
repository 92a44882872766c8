import { performance } from 'node:perf_hooks'
import postgres from 'postgres'
import { connectPostgres, type Sql } from '../../src/db/postgres.ts'
import { migrate } from '../../src/db/migrate.ts'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import { pageOf } from '../../src/domain/page-cursor.ts'
import { findStores } from '../../src/domain/stores/store-finding.ts'
import { storeCategories, storeQuery, type StoreQuery } from '../../src/domain/stores/store-messages.ts'
import { folded, initialsOf } from '../../src/domain/stores/store-name.ts'
import { defineQuestion } from '../question.ts'
import { rowOf } from '../measure/rows.ts'
import type { Stage } from '../stage/stage.ts'
import { nameWords, seedStores } from '../stage/store-seeding.ts'
import { median } from '../measure/series.ts'
import { check, figureOf, type Findings } from '../measure/turn.ts'

/** What is asked of each kind of search, for its slowest page but one in a hundred. */
const goalMs = 10
const dayMs = 86_400_000

const storesOptions = {
  rounds: { about: 'rounds through all kinds of search', quick: 1, full: 3, least: 1, most: 100 },
  stores: {
    about: 'stores that are looked through',
    quick: 50_000,
    full: 200_000,
    least: 1_000,
    most: 5_000_000,
  },
  finds: {
    about: 'pages of each kind that are asked for in a round',
    quick: 30,
    full: 100,
    least: 10,
    most: 100_000,
  },
}

export const stores = defineQuestion({
  name: 'stores',
  about: 'how long stores are looked for among very many',
  options: storesOptions,
  // Nobody buys while stores are looked for.
  ask: async (bench, options) => await askStores(await bench.open({ accounts: 1 }), options),
})

type Options = Readonly<Record<keyof typeof storesOptions, number>>

type Random = () => number
/** Members of a query as a page would send them, other ones at each call. */
type Search = (random: Random) => Readonly<Record<string, string>>

/** How long does it take to find stores among very many: a page of each kind of search, from the first row to the last? */
async function askStores(stage: Stage, options: Options): Promise<Findings> {
  await stage.sql`create database openrun_stores`
  const url = stage.stores.postgresUrl.replace(/\/openrun$/, '/openrun_stores')
  await migrate({ url })
  const sql = connectPostgres({ url, connections: 1, name: 'bench-stores', searches: true })
  try {
    const nowMs = Date.now()
    await seedStores(sql, { count: options.stores, nowMs })
    return await measure(sql, url, { ...options, nowMs })
  } finally {
    await sql.end()
  }
}

async function measure(sql: Sql, url: string, options: Options & { nowMs: number }): Promise<Findings> {
  const { rounds, finds, nowMs } = options
  const searches = Object.entries(await searchesOf(sql, nowMs))
  const figures = []
  const medians: number[] = []
  const missed: string[] = []
  let empty = 0
  for (const [name, search] of searches) {
    const random = seededRandom(2, 2)
    const p50s: number[] = []
    const p99s: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const times: number[] = []
      let found = 0
      for (let n = 0; n < finds; n++) {
        const query = storeQuery.parse(search(random))
        const beganAt = performance.now()
        const { items } = await findStores(sql, query)
        times.push(performance.now() - beganAt)
        found += items.length
      }
      if (found === 0 && !name.includes('nowhere')) empty++
      // The first round warms up.
      if (round === 0) continue
      p50s.push(quantile(times, 0.5))
      p99s.push(quantile(times, 0.99))
    }
    medians.push(median(p50s))
    figures.push(figureOf(`${name}, p50`, 'ms', p50s), figureOf(`${name}, p99`, 'ms', p99s))
    if (quantile(p99s, 0.5) >= goalMs) missed.push(name)
  }
  const [rows] = await sql<{ count: number }[]>`select count(*)::int from stores`
  const plans = await plansOf(url, searches)
  return {
    sides: [],
    rows: [
      rowOf({
        metric: 'a page of each kind of search, the middle of their p50',
        unit: 'ms',
        ours: medians,
        goal: { of: 'ours', most: goalMs },
      }),
    ],
    figures,
    checks: [
      check('stores', options.stores, rows?.count ?? 0),
      check('kinds of searches that found nothing', 0, empty),
    ],
    windows: [],
    notes: { goalMs, missed, plans },
  }
}

/** Each kind of search; what is looked for differs each time. */
async function searchesOf(sql: Sql, nowMs: number): Promise<Readonly<Record<string, Search>>> {
  const pick = <T>(random: Random, all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const letterOf = (random: Random) => pick(random, Array.from(pick(random, nameWords)))
  const at = (days: number) => new Date(nowMs + days * dayMs).toISOString()
  const near = (random: Random) =>
    `${(37.5 + random() * 0.1).toFixed(5)},${(126.9 + random() * 0.2).toFixed(5)}`
  const koreans = nameWords.filter((word) => initialsOf(word).length >= 2)
  const deep = await deepCursors(sql)
  return {
    'all, by opening': () => ({}),
    'all, by popularity': () => ({ sort: 'popularity' }),
    'closed ones': () => ({ status: 'closed' }),
    'name, 1 letter': (random) => ({ q: letterOf(random) }),
    'name, 2 letters': (random) => ({ q: folded(pick(random, nameWords)).slice(0, 2) }),
    'name, 2 words': (random) => ({ q: `${pick(random, nameWords)} ${pick(random, nameWords)}` }),
    'name, a rare number': (random) => ({ q: String(Math.floor(random() * 40_000) * 5) }),
    'name, nowhere': (random) => ({ q: `${pick(random, nameWords)}없는말` }),
    'name, initials': (random) => ({ q: initialsOf(pick(random, koreans)).slice(0, 3) }),
    'name by popularity': (random) => ({ q: pick(random, nameWords), sort: 'popularity' }),
    'a week': (random) => {
      const from = random() * 100
      return { from: at(from), to: at(from + 7) }
    },
    'a week long ago': (random) => {
      const from = -900 + random() * 800
      return { from: at(from), to: at(from + 7), status: 'closed' }
    },
    'a week by popularity': (random) => {
      const from = random() * 100
      return { from: at(from), to: at(from + 7), sort: 'popularity' }
    },
    'after everything, nowhere': () => ({ from: at(5_000) }),
    category: (random) => ({ category: pick(random, storeCategories) }),
    'category by popularity': (random) => ({ category: pick(random, storeCategories), sort: 'popularity' }),
    'place, a town': (random) => ({ place: pick(random, ['성동구', '제주', '해운대', '서울']) }),
    'place, a house': (random) => ({ place: `연무장길 ${Math.floor(random() * 300)}` }),
    'place, nowhere': () => ({ place: '평양' }),
    'near, 500 m by distance': (random) => ({ near: near(random), within: '500', sort: 'distance' }),
    'near, 5 km by distance': (random) => ({ near: near(random), within: '5000', sort: 'distance' }),
    'near, 100 km by distance': (random) => ({ near: near(random), within: '100000', sort: 'distance' }),
    'near, 1 km by opening': (random) => ({ near: near(random), within: '1000' }),
    'near, 100 km by popularity': (random) => ({ near: near(random), within: '100000', sort: 'popularity' }),
    'near and category': (random) => ({
      near: near(random),
      within: '3000',
      sort: 'distance',
      category: pick(random, storeCategories),
    }),
    'near, name and week': (random) => ({
      near: near(random),
      within: '10000',
      sort: 'distance',
      q: letterOf(random),
      from: at(10),
      to: at(17),
    }),
    'page 5,000 by opening': (random) => ({ cursor: pick(random, deep.opening) }),
    'page 5,000 by popularity': (random) => ({ cursor: pick(random, deep.popularity), sort: 'popularity' }),
    'page 50 by distance': () => ({
      near: '37.54,127.05',
      within: '100000',
      sort: 'distance',
      cursor: deep.distance,
    }),
  }
}

/** Cursors of pages far down, some of them for each order. */
async function deepCursors(sql: Sql) {
  const cursor = (at: number, id: string): string => pageOf([0, 1], 1, () => ({ at, id })).next ?? ''
  const byOpening = await sql<{ at: Date; id: string }[]>`
    select opens_at as at, id from stores where status = 'open'
    order by opens_at desc, id desc offset (select count(*) from stores) / 2 limit 20`
  const byPopularity = await sql<{ at: number; id: string }[]>`
    select popularity as at, id from stores where status = 'open'
    order by popularity desc, id desc offset (select count(*) from stores) / 2 limit 20`
  const walked: Readonly<Record<string, string>> = {
    near: '37.54,127.05',
    within: '100000',
    sort: 'distance',
  }
  let distance: string | null = null
  for (let page = 0; page < 10; page++) {
    const query: StoreQuery = storeQuery.parse({
      ...walked,
      limit: '100',
      ...(distance === null ? {} : { cursor: distance }),
    })
    distance = (await findStores(sql, query)).next
  }
  return {
    opening: byOpening.map(({ at, id }) => cursor(at.getTime(), id)),
    popularity: byPopularity.map(({ at, id }) => cursor(at, id)),
    distance: distance ?? '',
  }
}

/** How PostgreSQL goes about one search of each kind, statement by statement. */
async function plansOf(url: string, searches: readonly (readonly [string, Search])[]) {
  const asked: { text: string; values: unknown[] }[] = []
  const sql = postgres(url, {
    max: 1,
    debug: (_, text, values) => void asked.push({ text, values: values as unknown[] }),
  }) as unknown as Sql
  // As a search sets them for itself.
  await sql`select set_config('plan_cache_mode', 'force_custom_plan', false), set_config('enable_seqscan', 'off', false)`
  const plans: Record<string, string[]> = {}
  for (const [name, search] of searches) {
    asked.length = 0
    await findStores(sql, storeQuery.parse(search(seededRandom(3, 3))))
    const statements = asked.filter(({ text }) => text.includes('as stores'))
    plans[name] = []
    for (const { text, values } of statements) {
      const explained = `explain (analyze, buffers) ${text}`
      const rows = await sql.unsafe<{ 'QUERY PLAN': string }[]>(explained, values as never[])
      plans[name].push(rows.map((row) => row['QUERY PLAN']).join('\n'))
    }
  }
  await sql.end()
  return plans
}

function quantile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
