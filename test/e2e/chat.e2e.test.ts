import t from 'tap'
import { useApp } from '../support/app.ts'
import { api, at } from '../support/contract.ts'
import type { WsReader } from '../support/events.ts'
import { registerStore } from '../support/new-store.ts'

const app = await useApp(t, { config: { guestsPerMinute: 1000 } })
const other = await app.beside()

const talk = (ws: WsReader, store: string, said: object) =>
  ws.ask({ op: 'publish', ch: `chat:${store}`, data: { talk: said } })

t.test('what one member says is kept, and told to a member at another process', async (t) => {
  const store = await registerStore(app)
  const [one, two] = await app.guests(2)
  if (!one || !two) throw new Error('no guests')
  const [here, there] = [await one.ws(), await two.at(other.calls).ws()]
  const heardHere = await here.subscribe(`chat:${store}`)
  const heardThere = await there.subscribe(`chat:${store}`)
  const joined = await heardThere.next('joined')
  t.match(joined.data, { epoch: 1, seq: 0, entries: [], pinned: null, slowSeconds: 0, closed: false })
  t.match(await talk(here, store, { id: 'first', text: 'Hello, is the red one left?' }), { ok: true })
  const want = { prev: 0, seq: 1, entries: [{ seq: 1, id: 'first', kind: 'talk' }] }
  const { data } = await heardThere.next('entries')
  t.match(data, want)
  t.same((await heardHere.next('entries')).data, data)
  const me = at(here.channel(`chat:${store}`).all[0]?.data, 'me')
  t.same(at(data, 'entries.0.member'), me)
  t.notMatch(JSON.stringify(data), /usr_/)
  const { body } = await app.call('GET', `${api}/stores/${store}/messages`)
  t.same(at(body, 'items'), at(data, 'entries'))
})
