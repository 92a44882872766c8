import t from 'tap'
import type { ChatEntry } from '../../src/domain/chat/chat-messages.ts'
import { useApp } from '../support/app.ts'
import type { Buyer } from '../support/buyer.ts'
import { api, at, type Answer } from '../support/contract.ts'
import type { EventLog, WsReader } from '../support/events.ts'
import { registerStore } from '../support/new-store.ts'
import { until } from '../support/until.ts'

const app = await useApp(t, { config: { guestsPerMinute: 1000 } })
const other = await app.beside()

const roomOf = (store: string) => `${api}/stores/${store}`
const talk = (ws: WsReader, store: string, said: object) =>
  ws.ask({ op: 'publish', ch: `chat:${store}`, data: { talk: said } })
const say = (guest: Buyer, store: string, text: string, more: object = {}) =>
  guest.call('POST', `${roomOf(store)}/messages`, { body: { text, ...more } })
const organise = (method: string, path: string, body?: object): Promise<Answer> =>
  app.call(method, path, { token: app.organiserKey, ...(body && { body }) })
const notice = (store: string, text: string) =>
  organise('POST', `${roomOf(store)}/messages`, { text, notice: true })
const history = async (store: string, query = '') => {
  const { body } = await app.call('GET', `${roomOf(store)}/messages${query}`)
  return body as { items: ChatEntry[]; next: string | null }
}
const guests = async (count: number) => app.guests(count) as Promise<[Buyer, Buyer, ...Buyer[]]>
const entriesOf = ({ data }: { data: object }) => at(data, 'entries') as ChatEntry[]
/** Resolves with all entries that were told, when the last of them has this number. */
const toldUpTo = async (log: EventLog, seq: number) => {
  const told = () => log.all.filter(({ type }) => type !== 'presence').flatMap((event) => entriesOf(event))
  await until(`entry ${seq} is told`, () => told().at(-1)?.seq === seq)
  return told()
}

t.test('what one member says is kept, and told to a member at another process', async (t) => {
  const store = await registerStore(app)
  const [one, two] = await guests(2)
  const [here, there] = [await one.ws(), await two.at(other.calls).ws()]
  const heardHere = await here.subscribe(`chat:${store}`)
  const heardThere = await there.subscribe(`chat:${store}`)
  const joined = await heardThere.next('joined')
  t.match(joined.data, { epoch: 1, seq: 0, entries: [], pinned: null, slowSeconds: 0, closed: false })
  t.match(await talk(here, store, { id: 'first', text: 'Hello, is the red one left?' }), { ok: true })
  const { data } = await heardThere.next('entries')
  t.match(data, { prev: 0, seq: 1, entries: [{ seq: 1, id: 'first', kind: 'talk' }] })
  t.same((await heardHere.next('entries')).data, data)
  const me = at(heardHere.all[0]?.data, 'me')
  t.same(at(data, 'entries.0.member'), me)
  t.notMatch(JSON.stringify(data), /usr_/, 'nobody learns of an account')
  t.same((await history(store)).items, at(data, 'entries'))
})

t.test('whoever has no account reads, and may not talk', async (t) => {
  const store = await registerStore(app)
  await notice(store, 'We open at ten.')
  const stranger = await app.ws('')
  const heard = await stranger.subscribe(`chat:${store}`)
  t.match((await heard.next('joined')).data, {
    me: null,
    members: 0,
    entries: [{ kind: 'notice', member: null }],
  })
  t.match(await talk(stranger, store, { text: 'Hello' }), { error: { code: 'unauthenticated' } })
  const nowhere = await stranger.ask({ op: 'subscribe', ch: `chat:sto_${'0'.repeat(20)}` })
  t.match(nowhere, { error: { code: 'no_such_store' } })
  t.match(await stranger.ask({ op: 'subscribe', ch: 'chat:nonsense' }), { error: { code: 'no_such_store' } })
})

t.test('the same id again is the same entry, and no other member can take it', async (t) => {
  const store = await registerStore(app)
  const [one, two] = await guests(2)
  const ws = await one.ws()
  const same = { id: 'abc', text: 'Once' }
  const replies = await Promise.all(Array.from({ length: 6 }, () => talk(ws, store, same)))
  for (const reply of replies) t.match(reply, { ok: true })
  t.match(await talk(await two.ws(), store, same), { error: { code: 'chat_id_taken' } })
  const headers = { 'idempotency-key': 'one-post' }
  const post = () => one.call('POST', `${roomOf(store)}/messages`, { body: { text: 'Twice' }, headers })
  const [first, second] = [await post(), await post()]
  t.same([first.status, second.status, second.body], [201, 201, first.body])
  const { items } = await history(store)
  t.same(
    items.map(({ seq, text }) => [seq, text]),
    [
      [2, 'Twice'],
      [1, 'Once'],
    ],
  )
})

t.test('whoever says too much, the same again, or too soon in a slow room is told so', async (t) => {
  const store = await registerStore(app)
  const [one, two, three] = (await guests(3)) as [Buyer, Buyer, Buyer]
  // Many at once: five may be said, and one more each second that the machine takes.
  const flood = await Promise.all(Array.from({ length: 30 }, (_, n) => say(one, store, `Message ${n}`)))
  t.ok(flood.filter(({ status }) => status === 201).length >= 5)
  const refused = flood.find(({ status }) => status === 429)
  t.match(refused?.body, { code: 'chat_flooding', retryable: true })
  t.ok(Number(refused?.headers.get('retry-after')) >= 1)

  t.equal((await say(two, store, 'Buy this')).status, 201)
  t.equal((await say(two, store, 'buy THIS')).status, 201)
  const again = await say(two, store, ' Buy this ')
  t.match(again.body, { code: 'chat_repeated' })
  t.equal((await say(two, store, 'Something else')).status, 201)

  t.match((await organise('PATCH', `${roomOf(store)}/room`, { slowSeconds: 60 })).body, { slowSeconds: 60 })
  t.equal((await say(three, store, 'First')).status, 201)
  const soon = await say(three, store, 'Second')
  t.match(soon.body, { code: 'chat_slow' })
  t.ok(Number(soon.headers.get('retry-after')) > 50)
  const { items } = await history(store)
  t.notOk(
    items.some(({ text }) => text === 'Second' || text === 'Buy this '),
    'what was refused is not there',
  )
})

t.test('a text that is empty, too long, or holds control characters is refused', async (t) => {
  const store = await registerStore(app)
  const [one] = await guests(1)
  for (const text of ['', '  ', 'x'.repeat(1001), 'a\u0007b', 'a\nb', 'a\u202Eb', 'a\u2066b'])
    t.match((await say(one, store, text)).body, { code: 'invalid_request' }, JSON.stringify(text.slice(0, 9)))
  const fine = '안녕하세요 👩‍👩‍👧 <b>&amp;</b> ' + 'x'.repeat(900)
  t.equal(at((await say(one, store, fine)).body, 'text'), fine)
  t.match((await say(one, store, 'Yes', { replyTo: 1 })).body, { replyTo: 1, seq: 2 })
  t.match((await say(one, store, 'No', { replyTo: 99 })).body, { code: 'no_such_entry' })
  t.match((await say(one, store, 'I am the boss', { notice: true })).body, { code: 'forbidden' })
})

t.test('what is deleted comes again in no history, no replay and no search', async (t) => {
  const store = await registerStore(app)
  const [one, two] = await guests(2)
  const ws = await one.ws()
  const heard = await ws.subscribe(`chat:${store}`)
  await say(one, store, 'A secret word')
  await say(two, store, 'An answer', { replyTo: 1 })
  await toldUpTo(heard, 2)
  await organise('PUT', `${roomOf(store)}/messages/pinned`, { seq: 1 })
  t.equal((await organise('DELETE', `${roomOf(store)}/messages/1`)).status, 204)
  t.equal((await organise('DELETE', `${roomOf(store)}/messages/1`)).status, 204, 'twice is once')
  const told = await toldUpTo(heard, 4)
  t.match(told.at(-1), { kind: 'deleted', target: 1, member: null })
  const gone = { seq: 1, text: '', deleted: true }
  const views: [string, unknown][] = [['history', (await history(store)).items]]
  for (const [name, calls] of [
    ['here', app],
    ['elsewhere', other.calls],
  ] as const) {
    for (const since of [undefined, '1:0']) {
      const reader = await two.at(calls).ws()
      await reader.ask({ op: 'subscribe', ch: `chat:${store}`, since })
      const { data } = await reader.channel(`chat:${store}`).next('joined')
      t.match(data, { pinned: null }, 'the pin went with it')
      views.push([`${name} since ${since}`, at(data, 'entries')])
    }
    const stream = await calls.sse(`${roomOf(store)}/messages/stream`, two.token)
    views.push([`stream ${name}`, at((await stream.events.next('joined')).data, 'entries')])
    stream.close()
  }
  for (const [name, view] of views) {
    t.match(
      (view as ChatEntry[]).find(({ seq }) => seq === 1),
      gone,
      name,
    )
    t.notMatch(JSON.stringify(view), /secret/, name)
  }
  t.same((await history(store, '?q=secret')).items, [])
  t.match((await history(store, '?q=ANSWER')).items, [{ seq: 2, text: 'An answer', replyTo: 1 }])
  t.match((await say(one, store, 'But', { replyTo: 1 })).body, { code: 'no_such_entry' })
  t.match((await organise('PUT', `${roomOf(store)}/messages/pinned`, { seq: 1 })).body, {
    code: 'no_such_entry',
  })
})

t.test('the organiser mutes a member, who alone hears of it, at every process', async (t) => {
  const store = await registerStore(app)
  const [one, two] = await guests(2)
  const loud = await (await one.at(other.calls).ws()).subscribe(`chat:${store}`)
  const calm = await (await two.ws()).subscribe(`chat:${store}`)
  const member = String(at((await say(one, store, 'Loud!')).body, 'member.id'))
  const mute = (minutes: number) => organise('POST', `${roomOf(store)}/members/${member}/mute`, { minutes })
  const { body } = await mute(10)
  t.same((await loud.next('muted')).data, { until: body['mutedUntil'] })
  t.match((await say(one, store, 'Again')).body, { code: 'chat_muted', until: body['mutedUntil'] })
  t.match((await say(one.at(other.calls), store, 'And here')).body, { code: 'chat_muted' })
  await mute(0)
  t.equal((await say(one, store, 'Sorry')).status, 201)
  t.same(
    (await toldUpTo(calm, 2)).map(({ text }) => text),
    ['Loud!', 'Sorry'],
  )
  t.notOk(calm.all.some(({ type }) => type === 'muted'))
  const nobody = await organise('POST', `${roomOf(store)}/members/cme_nobody/mute`, { minutes: 1 })
  t.match(nobody.body, { code: 'no_such_member' })
})

t.test('what the organiser makes of the room is told, and told once', async (t) => {
  const store = await registerStore(app)
  const [one] = await guests(1)
  const heard = await (await one.at(other.calls).ws()).subscribe(`chat:${store}`)
  await say(one, store, 'Pin me')
  for (const seq of [1, 1]) await organise('PUT', `${roomOf(store)}/messages/pinned`, { seq })
  await organise('PUT', `${roomOf(store)}/messages/pinned`, { seq: null })
  for (const slowSeconds of [5, 5, 0]) await organise('PATCH', `${roomOf(store)}/room`, { slowSeconds })
  await organise('PATCH', `${roomOf(store)}/room`, { closed: true })
  t.match((await say(one, store, 'Still here?')).body, { code: 'room_closed' })
  t.match((await notice(store, 'Closed')).body, { code: 'room_closed' })
  await organise('PATCH', `${roomOf(store)}/room`, { closed: false })
  t.equal((await say(one, store, 'Back')).status, 201)
  const told = await toldUpTo(heard, 8)
  t.same(
    told.map(({ kind }) => kind),
    ['talk', 'pinned', 'pinned', 'slow', 'slow', 'closed', 'opened', 'talk'],
  )
  t.same(told.map(({ target }) => target).slice(1, 3), [1, undefined])
  t.match((await one.call('PATCH', `${roomOf(store)}/room`, { body: { closed: true } })).body, {
    code: 'forbidden',
  })
})

t.test('the room of a store that closes is closed for good', async (t) => {
  const store = await registerStore(app)
  const [one] = await guests(1)
  const heard = await (await one.ws()).subscribe(`chat:${store}`)
  await organise('PATCH', roomOf(store), { status: 'closed' })
  t.match(await toldUpTo(heard, 1), [{ kind: 'closed', member: null }])
  t.match((await say(one, store, 'Hello?')).body, { code: 'room_closed' })
  t.match((await organise('PATCH', `${roomOf(store)}/room`, { closed: false })).body, {
    code: 'store_closed',
  })
})

t.test('whoever comes back is told what they have missed, up to 500 entries', async (t) => {
  const store = await registerStore(app)
  const write = async (upTo: number) => {
    await app.sql`
      insert into chat_entries (store_id, seq, id, kind, name, text)
      select ${store}, n, 'n' || n, 'talk', '', 'number ' || n
      from chat_rooms r, generate_series(r.last_seq + 1, ${upTo}) n where r.store_id = ${store}`
    await app.sql`update chat_rooms set last_seq = ${upTo} where store_id = ${store}`
  }
  await write(700)
  const [one] = await guests(1)
  const ws = await one.ws()
  const ask = async (since?: string) => {
    await ws.ask({ op: 'subscribe', ch: `chat:${store}`, since })
    const { data } = await ws.channel(`chat:${store}`).next('joined')
    await ws.ask({ op: 'unsubscribe', ch: `chat:${store}` })
    const seqs = (at(data, 'entries') as ChatEntry[]).map(({ seq }) => seq)
    t.same(
      seqs,
      seqs.map((_, index) => (seqs[0] ?? 0) + index),
      'in order',
    )
    return [seqs[0], seqs.at(-1), at(data, 'gap')]
  }
  t.same(await ask(), [651, 700, undefined])
  t.same(await ask('1:690'), [691, 700, undefined])
  t.same(await ask('1:700'), [undefined, undefined, undefined])
  t.same(await ask('1:300'), [301, 700, undefined], 'further back than what is kept')
  t.same(await ask('1:200'), [201, 700, undefined])
  t.same(await ask('1:199'), [651, 700, true])
  t.same(await ask('2:690'), [651, 700, true], 'of another epoch')
  t.same(await ask('nonsense'), [651, 700, true])
  t.same(await ask('1:9999'), [651, 700, true], 'beyond the end')
  let pages = 0
  const seqs: number[] = []
  for (let next: string | null = '', page; next !== null; next = page.next, pages++) {
    page = await history(store, `?limit=100${next && `&cursor=${next}`}`)
    seqs.push(...page.items.map(({ seq }) => seq))
  }
  t.same(
    seqs,
    Array.from({ length: 700 }, (_, index) => 700 - index),
  )
  t.equal(pages, 7)
  t.same((await history(store, '?q=number%2069')).items.map(({ seq }) => seq).slice(0, 3), [699, 698, 697])
  t.same((await history(store, '?q=100%25')).items, [], 'a percent sign is only one')
})

t.test('an event stream tells the same, and goes on after its last event', async (t) => {
  const store = await registerStore(app)
  const [one] = await guests(1)
  const stream = await app.sse(`${roomOf(store)}/messages/stream`, one.token)
  await stream.events.next('joined')
  await notice(store, 'One')
  t.match((await stream.events.next('entries')).data, { prev: 0, seq: 1, entries: [{ text: 'One' }] })
  t.match(stream.text(), /id: 1:1\n/)
  stream.close()
  await notice(store, 'Two')
  const response = await fetch(`${app.url}${roomOf(store)}/messages/stream`, {
    headers: { authorization: `Bearer ${one.token}`, 'last-event-id': '1:1' },
  })
  let text = ''
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  while (!text.includes('"Two"')) text += (await reader?.read())?.value ?? ''
  await reader?.cancel()
  t.notMatch(text, /"One"/)
})

t.test(
  'members are counted over all processes, each account once at a process, and known by their names',
  async (t) => {
    const store = await registerStore(app)
    const [one, two] = await guests(2)
    const [tab, same, there] = [await one.ws(), await one.ws(), await two.at(other.calls).ws()]
    const heard = await tab.subscribe(`chat:${store}`)
    await same.subscribe(`chat:${store}`)
    await there.subscribe(`chat:${store}`)
    await heard.next('presence', ({ data }) => data['members'] === 2)
    const rename = await tab.ask({ op: 'publish', ch: `chat:${store}`, data: { name: '서연' } })
    t.match(rename, { ok: true })
    t.equal(at((await say(one, store, 'It is me')).body, 'member.name'), '서연')
    there.socket.close()
    await heard.next('presence', ({ data }) => data['members'] === 1)
    const bad = await tab.ask({ op: 'publish', ch: `chat:${store}`, data: { name: 'x'.repeat(21) } })
    t.match(bad, { error: { code: 'invalid_request' } })
    t.match(await tab.ask({ op: 'publish', ch: `chat:${store}`, data: {} }), {
      error: { code: 'invalid_request' },
    })
  },
)
