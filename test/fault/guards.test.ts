import t from 'tap'
import { faults } from './suite/faults.ts'
import { guards } from './suite/guard-list.ts'
import { withoutGuard } from './suite/guards.ts'

t.test('each guard can still be taken out of the program', async (t) => {
  for (const guard of guards) {
    const changed = await withoutGuard(guard)
    t.ok(changed.size > 0 || guard.statement !== undefined, guard.name)
  }
})

t.test('what fits no more is said', async (t) => {
  const [guard] = guards
  if (guard === undefined) throw new Error('there are no guards')
  const edits = [{ file: 'main.js', from: 'nothing like this', to: '' }]
  await t.rejects(withoutGuard({ ...guard, edits }), { message: /main\.js has no nothing like this/ })
})

t.test('the faults that show that a guard is gone are there', async (t) => {
  const names = new Set(faults.map(({ name }) => name))
  t.same(
    guards.flatMap((guard) => guard.faults.filter((name) => !names.has(name))),
    [],
  )
})
