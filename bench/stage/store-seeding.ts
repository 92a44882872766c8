import type { Sql } from '../../src/db/postgres.ts'
import { seededRandom } from '../../src/crowd/seeded-random.ts'
import { storeCategories } from '../../src/domain/stores/store-messages.ts'
import { folded, gramsOf, initialsOf } from '../../src/domain/stores/store-name.ts'

const rowsAtOnce = 5_000
const dayMs = 86_400_000

export const nameWords = [
  '성수 한남 을지로 망원 연남 해방촌 서촌 북촌 이태원 홍대 강남 잠실 압구정 빈티지 오브젝트 레코드 라이트 하우스 스튜디오',
  '마켓 가든 아카이브 클럽 테이블 봄날 여름밤 달빛 구름 고양이 토끼 여우 바다 숲 별 파도 정원 온기 시간',
  'Blue Moon Peach Nova Studio Lab Works Archive Table Garden Club House',
].flatMap((line) => line.split(' '))
const nameEnds = '팝업 문구점 상점 전시 카페 공방 스토어 마켓 플리마켓 POP-UP Store'.split(' ')

/** Towns, how much of all that happens is there, and where. */
const towns = [
  { name: '서울 성동구', share: 0.3, latitude: 37.5445, longitude: 127.056 },
  { name: '서울 마포구', share: 0.2, latitude: 37.556, longitude: 126.922 },
  { name: '서울 강남구', share: 0.15, latitude: 37.517, longitude: 127.047 },
  { name: '부산 해운대구', share: 0.15, latitude: 35.163, longitude: 129.163 },
  { name: '대구 중구', share: 0.1, latitude: 35.869, longitude: 128.606 },
  { name: '제주 제주시', share: 0.1, latitude: 33.499, longitude: 126.531 },
] as const
const streets = [
  '연무장길',
  '성수이로',
  '양화로',
  '와우산로',
  '도산대로',
  '해운대로',
  '동성로',
  '관덕로',
  '중앙로',
  '시장길',
]

/** Stores of a whole country: three in four are open now or will be, and most are where most people are. */
export async function seedStores(sql: Sql, options: { count: number; nowMs: number }): Promise<void> {
  const { count, nowMs } = options
  await sql`insert into organisers (id, name) values ('org_bench', 'Bench')`
  const random = seededRandom(1, 1)
  for (let from = 0; from < count; from += rowsAtOnce) {
    const rows = Array.from({ length: Math.min(rowsAtOnce, count - from) }, (_, index) =>
      someStore(random, from + index, nowMs),
    )
    await insertRows(sql, rows)
  }
  await sql`vacuum (analyze) stores`
}

function someStore(random: () => number, index: number, nowMs: number) {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const name =
    `${pick(nameWords)} ${pick(nameWords)} ${pick(nameEnds)} ${index % 5 === 0 ? index : ''}`.trim()
  const town = townAt(random())
  const address = `${town.name} ${pick(streets)} ${1 + Math.floor(random() * 300)}`
  const status = random() < 0.75 ? 'open' : 'closed'
  const days = 3 + random() * 57
  const opensAtMs =
    nowMs +
    (status === 'open' ? random() * 120 * dayMs - days * dayMs : -days * dayMs - random() * 900 * dayMs)
  return {
    id: `sto_${String(index).padStart(20, '0')}`,
    name,
    name_grams: gramsOf(folded(name), initialsOf(name)),
    name_folded: folded(name),
    name_initials: initialsOf(name),
    address,
    address_grams: gramsOf(folded(address)),
    address_folded: folded(address),
    category: pick(storeCategories),
    latitude: town.latitude + spread(random) * 0.05,
    longitude: town.longitude + spread(random) * 0.06,
    opens_at: new Date(opensAtMs),
    closes_at: new Date(opensAtMs + days * dayMs + 60_000),
    popularity: Math.floor(random() ** 4 * 20_000),
    status,
  }
}

/** Around nought, mostly near it. */
function spread(random: () => number): number {
  return random() + random() + random() - 1.5
}

function townAt(part: number): (typeof towns)[number] {
  let sum = 0
  return towns.find(({ share }) => (sum += share) > part) ?? towns[0]
}

/** As JSON, since lists of lists cannot be told apart otherwise. */
async function insertRows(sql: Sql, rows: readonly object[]): Promise<void> {
  await sql`
    insert into stores (id, organiser_id, name, name_grams, name_folded, name_initials, description, category, address,
      address_grams, address_folded, latitude, longitude, opens_at, closes_at, opening_hours, links, popularity, status)
    select id, 'org_bench', name, name_grams, name_folded, name_initials, repeat('About it. ', 30), category, address,
      address_grams, address_folded, latitude, longitude, opens_at, closes_at, '[]', '[]', popularity, status
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as row (
      id text, name text, name_grams text[], name_folded text, name_initials text, category text, address text,
      address_grams text[], address_folded text, latitude float8, longitude float8, opens_at timestamptz,
      closes_at timestamptz, popularity int, status text)`
}
