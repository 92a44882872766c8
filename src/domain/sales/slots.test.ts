import t from 'tap'
import { Problem } from '../../errors.ts'
import { slotsDescription, type SlotsDescription } from './sale-layout-messages.ts'
import { buildSlots } from './slots.ts'

const twoDays: SlotsDescription = {
  dates: { from: '2026-02-28', to: '2026-03-01' },
  hours: ['14:00', '10:00'],
  capacity: 10,
  priceMinor: 500,
}

function fieldsOf(slots: SlotsDescription): string[] {
  try {
    buildSlots(slots)
  } catch (error) {
    if (error instanceof Problem) return (error.options.errors ?? []).map(({ field }) => field)
    throw error
  }
  return []
}

t.test('makes a slot for each hour of each day, in the order of time', async (t) => {
  const { units, layout } = buildSlots(twoDays)
  t.strictSame(
    units.map(({ unitNo, code }) => [unitNo, code]),
    [
      [0, '2026-02-28T10:00'],
      [1, '2026-02-28T14:00'],
      [2, '2026-03-01T10:00'],
      [3, '2026-03-01T14:00'],
    ],
  )
  t.strictSame(units[3], {
    unitNo: 3,
    code: '2026-03-01T14:00',
    capacity: 10,
    priceMinor: 500,
    priceClass: 'standard',
  })
  t.strictSame(layout, {
    kind: 'slots',
    dates: ['2026-02-28', '2026-03-01'],
    hours: ['10:00', '14:00'],
    capacity: 10,
    priceMinor: 500,
  })
})

t.test('knows leap years and leaves closed dates out', async (t) => {
  const { layout } = buildSlots({
    ...twoDays,
    dates: { from: '2028-02-27', to: '2028-03-01' },
    closedDates: ['2028-02-28', '2030-01-01'],
  })
  t.strictSame(layout.dates, ['2028-02-27', '2028-02-29', '2028-03-01'])
})

t.test('an exception has other hours, other places, or both; what follows it is numbered on', async (t) => {
  const { units, layout } = buildSlots({
    ...twoDays,
    dates: ['2026-05-01', '2026-05-02', '2026-05-03'],
    exceptions: [
      { date: '2026-05-02', hours: ['20:00', '09:30', '12:00'], capacity: 4 },
      { date: '2026-05-03', capacity: 1 },
    ],
  })
  t.strictSame(
    units.map(({ unitNo, code, capacity }) => [unitNo, code, capacity]),
    [
      [0, '2026-05-01T10:00', 10],
      [1, '2026-05-01T14:00', 10],
      [2, '2026-05-02T09:30', 4],
      [3, '2026-05-02T12:00', 4],
      [4, '2026-05-02T20:00', 4],
      [5, '2026-05-03T10:00', 1],
      [6, '2026-05-03T14:00', 1],
    ],
  )
  t.strictSame(layout.exceptions, [
    { date: '2026-05-02', hours: ['09:30', '12:00', '20:00'], capacity: 4 },
    { date: '2026-05-03', hours: ['10:00', '14:00'], capacity: 1 },
  ])
  const bad = (exceptions: SlotsDescription['exceptions']) => fieldsOf({ ...twoDays, exceptions })
  t.strictSame(bad([{ date: '2026-03-02', capacity: 1 }]), ['slots.exceptions.0.date'])
  t.strictSame(bad([{ date: '2026-03-01', hours: ['10:00', '10:00'] }]), ['slots.exceptions.0.hours.1'])
  const twice = { date: '2026-03-01', capacity: 1 }
  t.strictSame(bad([twice, twice]), ['slots.exceptions.1'])
  t.notOk(slotsDescription.safeParse({ ...twoDays, exceptions: [{ date: '2026-03-01' }] }).success)
})

t.test('takes a list of dates in any order', async (t) => {
  const { layout } = buildSlots({ ...twoDays, dates: ['2026-05-02', '2026-05-01'] })
  t.strictSame(layout.dates, ['2026-05-01', '2026-05-02'])
})

t.test('says which fields of a calendar do not fit together', async (t) => {
  t.strictSame(fieldsOf({ ...twoDays, dates: { from: '2026-03-01', to: '2026-02-28' } }), ['slots.dates.to'])
  t.strictSame(fieldsOf({ ...twoDays, dates: ['2026-05-01', '2026-05-02', '2026-05-01'] }), ['slots.dates.2'])
  t.strictSame(fieldsOf({ ...twoDays, hours: ['10:00', '10:00'] }), ['slots.hours.1'])
  t.strictSame(fieldsOf({ ...twoDays, closedDates: ['2026-02-28', '2026-03-01'] }), ['slots.closedDates'])
})

t.test('refuses more slots or places than a sale may hold, at no cost', async (t) => {
  t.strictSame(fieldsOf({ ...twoDays, dates: { from: '0001-01-01', to: '9999-12-31' } }), ['slots'])
  t.strictSame(
    fieldsOf({ ...twoDays, dates: { from: '2026-01-01', to: '2026-12-31' }, capacity: 1_000_000 }),
    ['slots.capacity'],
  )
})

t.test('refuses fields that are missing, huge, of another type or unknown', async (t) => {
  t.ok(slotsDescription.safeParse(twoDays).success)
  const bad = [
    null,
    {},
    { ...twoDays, extra: 1 },
    { ...twoDays, dates: [] },
    { ...twoDays, dates: ['2026-02-30'] },
    { ...twoDays, dates: ['28.02.2026'] },
    { ...twoDays, dates: { from: '2026-02-28' } },
    { ...twoDays, hours: [] },
    { ...twoDays, hours: ['24:00'] },
    { ...twoDays, hours: ['9:00'] },
    { ...twoDays, capacity: 0 },
    { ...twoDays, capacity: 1_000_001 },
    { ...twoDays, capacity: '10' },
    { ...twoDays, priceMinor: -1 },
    { ...twoDays, closedDates: ['yesterday'] },
  ]
  for (const slots of bad) t.notOk(slotsDescription.safeParse(slots).success, JSON.stringify(slots))
})
