import type { Clock } from '../../clock.ts'
import type { Sql } from '../../db/postgres.ts'
import { idFrom } from '../../ids.ts'
import type { NewStore, StoreCategory } from './store-messages.ts'
import { registerStore } from './store-registering.ts'

const dayMs = 86_400_000

/**
 * Gives the organiser pop-up stores to be found on an empty server. Their ids depend on organiser and name alone, so
 * processes that start together make them once.
 * @returns the ids, the first of them that of the store in which the demo sale of slots is held
 */
export async function createDemoStores(
  { sql, clock }: { readonly sql: Sql; readonly clock: Clock },
  { organiserId }: { organiserId: string },
): Promise<string[]> {
  const made: string[] = []
  for (const description of demoStores(clock.nowMs())) {
    const storeId = idFrom('sto', 'demo', organiserId, description.name)
    made.push((await registerStore(sql, { storeId, organiserId, description })).id)
  }
  return made
}

/** Most of them are open at `nowMs`, the others open within some weeks. */
export function demoStores(nowMs: number): NewStore[] {
  return places.map(([name, category, address, latitude, longitude, opensInDays, days]) => {
    const opensAtMs = nowMs + opensInDays * dayMs
    return {
      name,
      category,
      address,
      latitude,
      longitude,
      opensAt: new Date(opensAtMs).toISOString(),
      closesAt: new Date(opensAtMs + days * dayMs).toISOString(),
      description: textOf(name, category),
      openingHours: [
        { days: [1, 2, 3, 4, 5], from: '11:00', to: '20:00' },
        { days: [6, 7], from: '10:00', to: '21:00' },
      ],
      links: [{ label: 'example.com', url: 'https://example.com/' }],
      maxPerAccount: 2,
    }
  })
}

function textOf(name: string, category: StoreCategory): string {
  return [
    `**${name}** — ${themes[category]}`,
    '- 시간별로 열 명까지 들어갈 수 있어요.\n- 예약은 한 시간에 한 번, 한 계정당 두 번까지예요.',
    'Up to ten visitors come in each hour. Booking is free; please come five minutes early.',
  ].join('\n\n')
}

const themes: Readonly<Record<StoreCategory, string>> = {
  fashion: '한정판 컬렉션을 직접 입어 볼 수 있는 팝업이에요.',
  beauty: '나에게 맞는 색과 향을 찾아보는 팝업이에요.',
  food: '여기서만 맛볼 수 있는 메뉴를 준비했어요.',
  character: '좋아하는 캐릭터를 만나고 함께 사진을 찍어요.',
  art: '작가와 작품을 가까이에서 만나는 전시예요.',
  music: '새 앨범을 가장 먼저 듣는 곳이에요.',
  sports: '직접 뛰고 겨뤄 보는 체험 공간이에요.',
  tech: '아직 나오지 않은 제품을 먼저 써 볼 수 있어요.',
  living: '집에 두고 싶은 물건을 모았어요.',
  other: '하루쯤 다른 곳에 있는 기분을 느껴 보세요.',
}

type DemoPlace = readonly [
  name: string,
  category: StoreCategory,
  address: string,
  latitude: number,
  longitude: number,
  opensInDays: number,
  days: number,
]

/** In and around Seoul. */
const places: readonly DemoPlace[] = [
  ['달토끼 상점 Moonrabbit', 'character', '서울 성동구 연무장길 33', 37.5427, 127.0566, -1, 31],
  ['성수 문구사', 'living', '서울 성동구 서울숲2길 17', 37.5463, 127.0433, -6, 40],
  ['구름 베이커리', 'food', '서울 성동구 아차산로 111', 37.5441, 127.061, -3, 24],
  ['새벽 향수 실험실', 'beauty', '서울 성동구 성수이로 88', 37.5418, 127.0599, -2, 20],
  ['한강 러닝 클럽', 'sports', '서울 영등포구 여의동로 330', 37.5285, 126.9327, -8, 60],
  ['레코드 오십구', 'music', '서울 마포구 와우산로 94', 37.5512, 126.9246, -4, 25],
  ['연남 그림책방', 'art', '서울 마포구 동교로 245', 37.5607, 126.9253, -10, 45],
  ['고양이 우체국', 'character', '서울 마포구 연남로 31', 37.5629, 126.9226, -1, 18],
  ['블루노트 살롱', 'music', '서울 용산구 이태원로 223', 37.5345, 126.9965, -2, 14],
  ['한남 도예 공방', 'art', '서울 용산구 이태원로55가길 21', 37.5368, 127.0006, -12, 50],
  ['무릎담요 연구소', 'living', '서울 용산구 한강대로 95', 37.5299, 126.9682, -5, 30],
  ['네온 스니커즈', 'fashion', '서울 강남구 압구정로60길 18', 37.5273, 127.0407, -1, 12],
  ['가로수길 데님 아카이브', 'fashion', '서울 강남구 도산대로13길 20', 37.5206, 127.0229, -7, 28],
  ['소금 초콜릿', 'food', '서울 강남구 선릉로 825', 37.5262, 127.039, -3, 21],
  ['삼성 로봇 놀이터', 'tech', '서울 강남구 영동대로 513', 37.5118, 127.0592, -2, 35],
  ['미래 안경점', 'tech', '서울 강남구 테헤란로 152', 37.5001, 127.0365, 2, 30],
  ['잠실 야구 박물관', 'sports', '서울 송파구 올림픽로 25', 37.5122, 127.0719, -20, 90],
  ['석촌호수 오리배 사무소', 'other', '서울 송파구 잠실로 148', 37.5094, 127.1034, -4, 22],
  ['을지로 인쇄소', 'art', '서울 중구 을지로 157', 37.5664, 126.996, -9, 33],
  ['명동 립스틱 도서관', 'beauty', '서울 중구 명동길 14', 37.5636, 126.9822, -1, 16],
  ['북촌 다과상', 'food', '서울 종로구 북촌로 37', 37.58, 126.9849, -5, 38],
  ['익선 한복 사진관', 'fashion', '서울 종로구 수표로28길 17', 37.5743, 126.9897, -6, 27],
  ['서촌 식물원', 'living', '서울 종로구 필운대로 34', 37.5787, 126.9692, 1, 40],
  ['혜화 인형 극장', 'character', '서울 종로구 대학로8길 1', 37.581, 127.0028, 3, 20],
  ['건대 게임 다방', 'tech', '서울 광진구 능동로 110', 37.5409, 127.0691, -3, 19],
  ['홍제 유원지', 'other', '서울 서대문구 연희로 262', 37.5806, 126.9364, -2, 26],
  ['판교 우주 정거장', 'tech', '경기 성남시 분당구 판교역로 146', 37.3927, 127.1112, 5, 45],
  ['수원 화성 연 가게', 'other', '경기 수원시 팔달구 정조로 825', 37.2819, 127.0135, -11, 55],
  ['송도 서핑 연습장', 'sports', '인천 연수구 센트럴로 160', 37.3925, 126.6398, 7, 60],
  ['부천 만화 여관', 'character', '경기 부천시 원미구 길주로 1', 37.5084, 126.7426, -4, 29],
]
