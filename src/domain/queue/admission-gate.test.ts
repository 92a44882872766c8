import t from 'tap'
import type { KnownProcess, Role } from '../processes/process-store.ts'
import { everyEdgeIsBack } from './admission-gate.ts'

const epochSinceMs = 1_000_000
const edge = (id: string, changes: Partial<KnownProcess> = {}): KnownProcess => ({
  id,
  roles: ['edge'] satisfies Role[],
  alive: true,
  startedAtMs: epochSinceMs - 5000,
  ...changes,
})
const back = (processes: readonly KnownProcess[], restored: readonly string[]): boolean =>
  everyEdgeIsBack(processes, restored, epochSinceMs)

t.test('the gate opens early when every edge that knew the line has put its waiters back', (t) => {
  t.equal(back([edge('a'), edge('b')], ['a', 'b']), true)
  t.equal(back([edge('a'), edge('b')], ['b', 'a', 'c']), true)
  t.end()
})

t.test('it waits for an edge that has not answered yet', (t) => {
  t.equal(back([edge('a'), edge('b')], ['a']), false)
  t.equal(back([edge('a')], []), false)
  t.end()
})

t.test('it waits the full time for the tickets of an edge that died', (t) => {
  t.equal(back([edge('a'), edge('b', { alive: false })], ['a']), false)
  t.equal(
    back([edge('a'), edge('b', { alive: false })], ['a', 'b']),
    false,
    'even if it answered before it died',
  )
  t.end()
})

t.test('an edge that began after the loss knows nobody, so it neither counts nor is waited for', (t) => {
  const young = edge('y', { startedAtMs: epochSinceMs + 1 })
  t.equal(back([edge('a'), young], ['a']), true)
  t.equal(back([young], ['y']), false, 'where none survived, the tickets need the full time')
  t.equal(back([], []), false)
  t.end()
})

t.test('processes without the role edge are not asked', (t) => {
  const worker = edge('w', { roles: ['admission', 'worker'] })
  t.equal(back([edge('a'), worker], ['a']), true)
  t.equal(back([edge('a'), { ...worker, alive: false }], ['a']), true)
  t.equal(back([worker], ['w']), false)
  t.end()
})
