import t from 'tap'
import {
  exceptionsOfLines,
  hoursOfLines,
  linesOfHours,
  linesOfLinks,
  linksOfLines,
} from '../../public/store-desk/store-draft.js'
import { anything, isNarrowed, queryOf } from '../../public/stores/store-wish.js'

t.test('opening hours are typed a line each, and come back as they were', async (t) => {
  const hours = hoursOfLines('1-5 11:00-20:00\n\n 6,7   10:00–21:00 ')
  t.same(hours, [
    { days: [1, 2, 3, 4, 5], from: '11:00', to: '20:00' },
    { days: [6, 7], from: '10:00', to: '21:00' },
  ])
  t.same(hoursOfLines(linesOfHours(hours)), hours)
})

t.test('what makes no sense is left for the server to name, and never becomes a long list', async (t) => {
  t.same(hoursOfLines('1-999999999 11:00-20:00')[0]?.days.length, 7)
  t.match(hoursOfLines('whenever'), [{ from: '', to: '' }])
})

t.test('a day that differs has its hours, its places, or both', async (t) => {
  t.same(exceptionsOfLines('2026-12-24 10:00,11:00 5\n2026-12-25 3\n2026-12-26 09:00, 10:30'), [
    { date: '2026-12-24', hours: ['10:00', '11:00'], capacity: 5 },
    { date: '2026-12-25', capacity: 3 },
    { date: '2026-12-26', hours: ['09:00', '10:30'] },
  ])
})

t.test('links have their address last', async (t) => {
  const links = linksOfLines('Our own shop https://shop.example/\nhttps://plain.example/')
  t.same(links, [
    { label: 'Our own shop', url: 'https://shop.example/' },
    { label: 'https://plain.example/', url: 'https://plain.example/' },
  ])
  t.same(linksOfLines(linesOfLinks(links)), links)
})

t.test('only what is wished for is asked for', async (t) => {
  t.equal(queryOf(anything), 'sort=opening')
  t.equal(isNarrowed(anything), false)
  const near = { latitude: 37.54271, longitude: 127.05663 }
  const query = new URLSearchParams(queryOf({ ...anything, name: ' ㅅㅅㅁ ', sort: 'distance', near }))
  t.same(Object.fromEntries(query), {
    q: 'ㅅㅅㅁ',
    near: '37.54271,127.05663',
    within: '100000',
    sort: 'distance',
  })
  t.equal(queryOf({ ...anything, sort: 'distance' }), 'sort=opening', 'until it is known where one is')
})
