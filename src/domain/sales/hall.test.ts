import fc from 'fast-check'
import t from 'tap'
import { Problem } from '../../errors.ts'
import { buildHall, seatCode } from './hall.ts'
import { hallDescription, hallLayout, type HallDescription } from './sale-layout-messages.ts'
import { makeUnitTable } from './unit-table.ts'

const smallHall: HallDescription = {
  priceClasses: [
    { name: 'near', priceMinor: 3000 },
    { name: 'far', priceMinor: 1000 },
  ],
  sections: [
    {
      code: 'A',
      rows: 2,
      seatsPerRow: [2, 3],
      priceClass: 'far',
      rowPriceClasses: [{ from: 1, to: 1, priceClass: 'near' }],
    },
    { code: 'B', name: 'Balcony', rows: 1, seatsPerRow: 2, priceClass: 'far' },
  ],
}

function fieldsOf(build: () => unknown): string[] {
  try {
    build()
  } catch (error) {
    if (error instanceof Problem) return (error.options.errors ?? []).map(({ field }) => field)
    throw error
  }
  return []
}

t.test('numbers seats by section, row and seat, and names them', async (t) => {
  const { units } = buildHall(smallHall)
  t.strictSame(
    units.map(({ code }) => code),
    ['A-01-01', 'A-01-02', 'A-02-01', 'A-02-02', 'A-02-03', 'B-01-01', 'B-01-02'],
  )
  t.strictSame(
    units.map(({ unitNo }) => unitNo),
    [0, 1, 2, 3, 4, 5, 6],
  )
  t.strictSame(units[0], { unitNo: 0, code: 'A-01-01', capacity: 1, priceMinor: 3000, priceClass: 'near' })
  t.strictSame(units[2], { unitNo: 2, code: 'A-02-01', capacity: 1, priceMinor: 1000, priceClass: 'far' })
})

t.test('draws rows one behind the other, each around the middle of its section', async (t) => {
  const { layout } = buildHall({
    priceClasses: [{ name: 'all', priceMinor: 1 }],
    sections: [{ code: 'A', rows: 2, seatsPerRow: [3, 5], priceClass: 'all', x: 10, y: 4 }],
  })
  t.strictSame(layout.sections, [
    {
      code: 'A',
      name: 'A',
      dx: 1,
      dy: 0,
      rows: [
        { row: 1, first: 0, seats: 3, x: 9, y: 4, priceClass: 0 },
        { row: 2, first: 3, seats: 5, x: 8, y: 5.2, priceClass: 0 },
      ],
    },
  ])
})

t.test('turns a section around the middle of its first row', async (t) => {
  const { layout } = buildHall({
    priceClasses: [{ name: 'all', priceMinor: 1 }],
    sections: [{ code: 'A', rows: 2, seatsPerRow: 1, priceClass: 'all', x: 10, y: 4, angleDegrees: 90 }],
  })
  t.match(layout.sections[0], {
    dx: 0,
    dy: 1,
    rows: [
      { x: 10, y: 4 },
      { x: 8.8, y: 4 },
    ],
  })
})

t.test('puts sections without a place side by side, so that no two seats meet', async (t) => {
  const { layout } = buildHall(smallHall)
  const spots = layout.sections.flatMap(({ dx, dy, rows }) =>
    rows.flatMap((row) =>
      Array.from({ length: row.seats }, (_, seat) => [row.x + seat * dx, row.y + seat * dy]),
    ),
  )
  for (const [index, one] of spots.entries()) {
    for (const other of spots.slice(index + 1)) {
      t.ok(Math.hypot((one[0] ?? 0) - (other[0] ?? 0), (one[1] ?? 0) - (other[1] ?? 0)) >= 1)
    }
  }
})

t.test('says which fields of a hall do not fit together', async (t) => {
  const section = { code: 'A', rows: 2, seatsPerRow: 2, priceClass: 'far' }
  const fields = (sections: HallDescription['sections']) =>
    fieldsOf(() => buildHall({ ...smallHall, sections }))
  t.strictSame(fields([section, { ...section, code: 'a' }]), ['hall.sections.1.code'])
  t.strictSame(fields([{ ...section, priceClass: 'gold' }]), ['hall.sections.0.priceClass'])
  t.strictSame(fields([{ ...section, seatsPerRow: [2] }]), ['hall.sections.0.seatsPerRow'])
  t.strictSame(fields([{ ...section, rowPriceClasses: [{ from: 2, to: 1, priceClass: 'gold' }] }]), [
    'hall.sections.0.rowPriceClasses.0.priceClass',
    'hall.sections.0.rowPriceClasses.0.to',
  ])
  t.strictSame(fields([{ ...section, rowPriceClasses: [{ from: 1, to: 3, priceClass: 'far' }] }]), [
    'hall.sections.0.rowPriceClasses.0.to',
  ])
  const priceClasses = [...smallHall.priceClasses, { name: 'far', priceMinor: 5 }]
  t.strictSame(
    fieldsOf(() => buildHall({ ...smallHall, priceClasses })),
    ['hall.priceClasses.2.name'],
  )
})

t.test('refuses a hall of more than 50,000 seats', async (t) => {
  const sections = Array.from({ length: 51 }, (_, index) => ({
    code: `S${index}`,
    rows: 20,
    seatsPerRow: 50,
    priceClass: 'far',
  }))
  t.strictSame(
    fieldsOf(() => buildHall({ ...smallHall, sections })),
    ['hall.sections'],
  )
  t.equal(buildHall({ ...smallHall, sections: sections.slice(0, 50) }).units.length, 50_000)
})

t.test('a page can name and find every seat from the layout alone', async (t) => {
  const anySections = fc.array(
    fc.record({ seatsPerRow: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 5 }) }),
    { minLength: 1, maxLength: 4 },
  )
  fc.assert(
    fc.property(anySections, (sections) => {
      const { units, layout } = buildHall({
        ...smallHall,
        sections: sections.map(({ seatsPerRow }, index) => ({
          code: `S${index}`,
          rows: seatsPerRow.length,
          seatsPerRow,
          priceClass: 'far',
        })),
      })
      const drawn = hallLayout
        .parse(layout)
        .sections.flatMap(({ code, rows }) =>
          rows.flatMap((row) =>
            Array.from({ length: row.seats }, (_, seat) => [
              row.first + seat,
              seatCode(code, row.row, seat + 1),
            ]),
          ),
        )
      const written = units.map(({ unitNo, code }) => [unitNo, code])
      const table = makeUnitTable(units, layout)
      const found = units.every(({ unitNo, code }) => table.unitNoOf(code) === unitNo)
      return found && JSON.stringify(drawn) === JSON.stringify(written)
    }),
    { numRuns: 50 },
  )
  t.pass('held for all')
})

t.test('refuses fields that are missing, huge, of another type or unknown', async (t) => {
  const refuses = (hall: unknown) =>
    t.notOk(hallDescription.safeParse(hall).success, JSON.stringify(hall).slice(0, 80))
  const [section] = smallHall.sections
  const withSection = (changes: object) => ({ ...smallHall, sections: [{ ...section, ...changes }] })
  t.ok(hallDescription.safeParse(smallHall).success)
  for (const hall of [null, [], 'hall', {}, { ...smallHall, sections: [] }, { ...smallHall, extra: 1 }])
    refuses(hall)
  for (const code of ['', 'A-1', 'ABCDEFGHI', 7, 'a b', 'A\u0000']) refuses(withSection({ code }))
  for (const rows of [0, 501, 1.5, '2', null]) refuses(withSection({ rows }))
  for (const seatsPerRow of [0, 1001, [], [0], 'x']) refuses(withSection({ seatsPerRow }))
  for (const x of [Infinity, NaN, 1e9, '0']) refuses(withSection({ x }))
  refuses(withSection({ name: 'half \ud800 surrogate' }))
  refuses({ ...smallHall, priceClasses: [{ name: 'far', priceMinor: -1 }] })
  refuses({ ...smallHall, priceClasses: [{ name: 'far', priceMinor: 1e9 + 1 }] })
  refuses({ ...smallHall, priceClasses: [{ name: 'far', priceMinor: 0.5 }] })
})
