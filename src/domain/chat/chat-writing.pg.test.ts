import t from 'tap'
import { usePostgres } from '../../../test/support/stores.ts'
import { until } from '../../../test/support/until.ts'
import { randomIds } from '../../ids.ts'
import { ensureFirstOrganiser } from '../accounts/organiser-key.ts'
import type { ChatDraft } from './chat-ledger.ts'
import { ChatMembers } from './chat-members.ts'
import type { ChatEntriesNotice } from './chat-messages.ts'
import { ChatWriting } from './chat-writing.ts'
import { unhurriedPostgres } from '../../../test/support/unhurried.ts'

const { postgresUrl } = await usePostgres(t)
const sql = unhurriedPostgres({ url: postgresUrl, connections: 4, name: 'test' })
t.teardown(() => sql.end({ timeout: 1 }))
await ensureFirstOrganiser(sql, randomIds)
const [{ organiserId } = { organiserId: '' }] = await sql<{ organiserId: string }[]>`
  select id as "organiserId" from organisers`

async function newRoom(): Promise<string> {
  const id = randomIds.next('sto')
  await sql`
    insert into stores (id, organiser_id, name, name_grams, name_folded, name_initials, description, category,
      address, latitude, longitude, opens_at, closes_at, opening_hours, links)
    values (${id}, ${organiserId}, 'A store', '{}', 'astore', '', '', 'other', 'A street', 37, 127, now(),
      now() + interval '1 day', '[]', '[]')`
  await sql`insert into chat_rooms (store_id) values (${id})`
  return id
}

async function newAccount(): Promise<string> {
  const id = randomIds.next('usr')
  await sql`insert into accounts (id, kind) values (${id}, 'guest')`
  return id
}

function newWriting() {
  const notices: [string, ChatEntriesNotice][] = []
  const writing = new ChatWriting({ sql, onWritten: (storeId, notice) => notices.push([storeId, notice]) })
  return { writing, notices }
}

const talk = (storeId: string, accountId: string, id: string = randomIds.next('msg')): ChatDraft => ({
  storeId,
  id,
  kind: 'talk',
  by: { accountId, memberId: randomIds.next('cme') },
  text: `said as ${id}`,
})
const codeOf = (outcome: PromiseSettledResult<unknown>): unknown =>
  outcome.status === 'fulfilled' ? 'written' : (outcome.reason as { code?: unknown }).code

t.test(
  'two writers number the entries of many rooms one after another, and tell them in that order',
  async (t) => {
    const rooms = await Promise.all(Array.from({ length: 5 }, newRoom))
    const accounts = await Promise.all(Array.from({ length: 4 }, newAccount))
    const [one, two] = [newWriting(), newWriting()]
    await Promise.all(
      Array.from({ length: 1000 }, (_, n) =>
        (n % 2 ? one : two).writing.write(talk(rooms[n % 5] ?? '', accounts[n % 4] ?? '')),
      ),
    )
    for (const room of rooms) {
      const rows = await sql<{ seq: number }[]>`
      select seq::int from chat_entries where store_id = ${room} order by seq`
      t.same(
        rows.map(({ seq }) => seq),
        Array.from({ length: 200 }, (_, index) => index + 1),
      )
      const told = [...one.notices, ...two.notices]
        .filter(([storeId]) => storeId === room)
        .map(([, notice]) => notice)
        .toSorted((a, b) => a.prev - b.prev)
      t.same(
        told.map(({ prev }) => prev),
        [0, ...told.slice(0, -1).map(({ seq }) => seq)],
        'each follows on one',
      )
      t.equal(told.at(-1)?.seq, 200)
      const names = new Set(told.flatMap(({ entries }) => entries.map(({ member }) => member?.id)))
      t.equal(names.size, 4, 'each account is one member')
    }
  },
)

t.test('each draft of a batch has its own fate, and what is refused leaves no gap', async (t) => {
  const [open, closed] = await Promise.all([newRoom(), newRoom()])
  const [one, two, muted] = await Promise.all([newAccount(), newAccount(), newAccount()])
  await sql`update chat_rooms set closed_at = now() where store_id = ${closed}`
  const members = new ChatMembers({ sql, ids: randomIds })
  const { memberId } = await members.enter(open, muted)
  await members.mute({ storeId: open, organiserId, memberId, minutes: 5 })
  const { writing, notices } = newWriting()
  const outcomes = await Promise.allSettled(
    [
      talk(open, one, 'a'),
      talk(closed, one),
      talk(open, muted),
      talk(open, two, 'a'),
      talk('sto_nowhere', one),
      talk(open, one, 'a'),
      { ...talk(open, one), targetSeq: 77 },
      { ...talk(open, one), kind: 'notice' as const },
      talk(open, two, 'b'),
      { ...talk(open, one), by: { organiserId: 'org_other' } },
      { ...talk(open, one, 'c'), by: { organiserId } },
    ].map((draft) => writing.write(draft)),
  )
  t.same(outcomes.map(codeOf), [
    'written',
    'room_closed',
    'chat_muted',
    'chat_id_taken',
    'no_such_store',
    'written',
    'no_such_entry',
    'forbidden',
    'written',
    'forbidden',
    'written',
  ])
  t.equal(notices.length, 1)
  t.match(notices[0]?.[1], {
    prev: 0,
    seq: 3,
    entries: [{ id: 'a' }, { id: 'b' }, { id: 'c', member: null }],
  })
})

t.test('an account that is gone spoils nothing for its neighbours', async (t) => {
  const room = await newRoom()
  const account = await newAccount()
  const { writing } = newWriting()
  const drafts = [talk(room, account), talk(room, 'usr_gone'), talk(room, account)]
  const outcomes = await Promise.allSettled(drafts.map((draft) => writing.write(draft)))
  t.same(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

t.test('nothing a member says is written after the answer to their mute', async (t) => {
  const room = await newRoom()
  const account = await newAccount()
  const members = new ChatMembers({ sql, ids: randomIds })
  const { memberId } = await members.enter(room, account)
  const { writing } = newWriting()
  // What is said now was found to be allowed, and waits to be written.
  const blocked = await sql.reserve()
  await blocked`begin`
  await blocked`lock table chat_entries in exclusive mode`
  const waiting = (count: number) =>
    until(`${count} wait`, async () => {
      const rows = await blocked`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      return rows.length === count
    })
  const saying = writing.write(talk(room, account))
  await waiting(1)
  const muting = members.mute({ storeId: room, organiserId, memberId, minutes: 5 })
  await waiting(2)
  await blocked`commit`
  blocked.release()
  t.match(await Promise.all([saying, muting]), [{ seq: 1 }, { accountId: account }])
  await t.rejects(writing.write(talk(room, account)), { code: 'chat_muted' })
})

t.test('what was said is gone from the disk when it is deleted, also from a pin', async (t) => {
  const room = await newRoom()
  const account = await newAccount()
  const { writing } = newWriting()
  const by = { organiserId }
  await writing.write(talk(room, account, 'x'))
  await writing.write({ storeId: room, id: 'p', kind: 'pinned', by, targetSeq: 1 })
  const drafts = [0, 1].map((): ChatDraft => ({
    storeId: room,
    id: 'deleted:1',
    kind: 'deleted',
    by,
    targetSeq: 1,
  }))
  const [first, second] = await Promise.all(drafts.map((draft) => writing.write(draft)))
  t.same(first, second)
  const [row] = await sql`
    select text, deleted_at is not null as gone, (select pinned_seq from chat_rooms where store_id = ${room}) as pin
    from chat_entries where store_id = ${room} and seq = 1`
  t.same(row, { text: '', gone: true, pin: null })
})

t.test(
  'a connection that is lost at the commit leaves nothing open: what was said stands once',
  async (t) => {
    const room = await newRoom()
    const account = await newAccount()
    await sql`
    create function wait_for_test() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(1); return null; end $$`
    await sql`
    create constraint trigger waits after insert on chat_entries deferrable initially deferred
    for each row execute function wait_for_test()`
    const blocked = await sql.reserve()
    await blocked`select pg_advisory_lock(1)`
    const { writing, notices } = newWriting()
    const saying = writing.write(talk(room, account, 'x'))
    await until('it waits', async () => {
      const [killed] = await blocked`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event = 'advisory'`
      return killed !== undefined
    })
    await blocked`select pg_advisory_unlock(1)`
    blocked.release()
    t.match(await saying, { seq: 1, id: 'x' })
    t.equal(notices.length, 1)
    t.same(await sql`select seq::int, id from chat_entries where store_id = ${room}`, [{ seq: 1, id: 'x' }])
    await sql`drop trigger waits on chat_entries`
  },
)
