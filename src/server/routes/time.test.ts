import t from 'tap'
import { startEdge } from '../../../test/support/edge.ts'

t.test('the time told is that of the server, is not kept by anybody, and goes on', async (t) => {
  const { url, clock } = await startEdge(t)
  const ask = async () => {
    const response = await fetch(`${url}/api/v1/time`, { headers: { authorization: 'Bearer stale' } })
    t.equal(response.status, 200)
    t.equal(response.headers.get('cache-control'), 'no-store')
    return ((await response.json()) as { now: string }).now
  }
  const first = await ask()
  t.match(first, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.equal(Date.parse(first), clock.nowMs())
  await clock.advance(1_234)
  t.equal(Date.parse(await ask()) - Date.parse(first), 1_234)
})
