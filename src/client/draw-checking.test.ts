import { createHash, createHmac } from 'node:crypto'
import t from 'tap'
import type { DrawView } from '../domain/queue/draw-messages.ts'
import { checkDraw } from './draw-checking.ts'

const seed = '5eed'.repeat(16)
const sha = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const honest = ['ent_c', 'ent_a', 'ent_b', 'ent_e', 'ent_d']
const digestOf = (entries: readonly string[]): string =>
  sha(
    entries
      .toSorted()
      .map((id) => `${id}\n`)
      .join(''),
  )
const drawn: DrawView = {
  state: 'drawn',
  commitment: sha(Buffer.from(seed, 'hex')),
  entrants: honest.length,
  digest: digestOf(honest),
  seed,
}

/** A server that publishes this, two entries a page. */
const server = (draw: Partial<DrawView>, entries: readonly string[] = honest) => ({
  draw: async () => ({ ...drawn, ...draw }),
  drawEntries: async (_sale: string, { cursor = '0' }: { cursor?: string } = {}) => {
    const at = Number(cursor)
    return { items: entries.slice(at, at + 2), next: at + 2 < entries.length ? String(at + 2) : null }
  },
})

t.test('an honest draw is found to be one, in the order that follows from the seed', async (t) => {
  const { faults, order } = await checkDraw(server({}), 'sal_x')
  t.same(faults, [])
  const rank = (entry: string): string =>
    createHmac('sha256', Buffer.from(seed, 'hex')).update(entry).digest('hex')
  t.same(
    order,
    honest.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)),
  )
})

t.test('a server that cheats is found out, whatever it changed', async (t) => {
  const cheats: Readonly<Record<string, Parameters<typeof server>>> = {
    'another seed': [{ seed: 'bad5eed0'.repeat(8) }],
    'an entry more': [{}, [...honest, 'ent_friend']],
    'an entry less': [{}, honest.slice(1)],
    'an entry for another': [{}, ['ent_friend', ...honest.slice(1)]],
    'an entry more, and the count with it': [{ entrants: 6 }, [...honest, 'ent_friend']],
    'an entry twice': [{ entrants: 6 }, [...honest, 'ent_a']],
  }
  for (const [name, published] of Object.entries(cheats)) {
    const { faults } = await checkDraw(server(...published), 'sal_x')
    t.ok(faults.length > 0, name)
  }
})

t.test('before the draw there is nothing to check', async (t) => {
  const { faults } = await checkDraw(
    server({ state: 'entering', seed: undefined } as Partial<DrawView>),
    'sal_x',
  )
  t.same(faults, ['Nothing was drawn yet.'])
})

t.test('a commitment exchanged after it was noted is found out, and only then', async (t) => {
  const other = 'bad5eed0'.repeat(8)
  const exchanged = server({ seed: other, commitment: sha(Buffer.from(other, 'hex')) })
  t.same((await checkDraw(exchanged, 'sal_x')).faults, [], 'who noted nothing cannot know')
  t.equal((await checkDraw(exchanged, 'sal_x', drawn.commitment)).faults.length, 1)
  t.same((await checkDraw(server({}), 'sal_x', drawn.commitment)).faults, [])
})

t.test('a list of entries without end is not read for ever', async (t) => {
  let pages = 0
  const endless = (items: readonly string[]) => ({
    ...server({}),
    drawEntries: async () => {
      if (++pages > 100) throw new Error('still reading')
      return { items: [...items], next: 'ent_z' }
    },
  })
  t.ok((await checkDraw(endless(honest), 'sal_x')).faults.length > 0)
  t.ok((await checkDraw(endless([]), 'sal_x')).faults.length > 0, 'nor pages with nothing on them')
})
