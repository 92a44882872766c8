import { mock } from 'node:test'
import { pino } from 'pino'
import t from 'tap'
import { Chores } from './chores.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
/** The time of `interval` stands still until the test moves it. */
t.beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
t.afterEach(() => mock.timers.reset())

const recorder = () => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) })
  return { log, lines }
}

t.test('each chore is done in its own time', async (t) => {
  const done: string[] = []
  const chore = (name: string, everyMs: number) => ({ name, everyMs, work: async () => done.push(name) })
  const chores = new Chores({ chores: [chore('often', 100), chore('seldom', 250)], log: recorder().log })
  await chores.run()
  t.same(done, [])
  for (let ms = 50; ms <= 500; ms += 50) {
    mock.timers.tick(50)
    await turn()
  }
  t.equal(done.filter((name) => name === 'often').length, 5)
  t.equal(done.filter((name) => name === 'seldom').length, 2)
  await chores.stop()
  mock.timers.tick(1000)
  await turn()
  t.equal(done.length, 7, 'nothing more after the end')
})

t.test('a chore that fails is tried again, and complains once until it has gone well', async (t) => {
  const { log, lines } = recorder()
  const outcomes = [false, false, true, false]
  let turns = 0
  const work = async () => {
    if (outcomes[turns++] === false) throw new Error('away')
  }
  const chores = new Chores({ chores: [{ name: 'sweep', everyMs: 10, work }], log })
  await chores.run()
  for (let round = 0; round < 4; round++) {
    mock.timers.tick(10)
    await turn()
  }
  t.equal(turns, 4)
  t.equal(lines.length, 2, 'for the first and the fourth')
  t.match(lines[0], /"chore":"sweep".*a chore failed/)
  await chores.stop()
})

t.test('a chore that takes long is not begun twice, and is waited for at the end', async (t) => {
  let begun = 0
  let finish = (): void => {}
  const work = (): Promise<void> => {
    begun++
    return new Promise((resolve) => {
      finish = resolve
    })
  }
  const chores = new Chores({ chores: [{ name: 'long', everyMs: 10, work }], log: recorder().log })
  await chores.run()
  for (let round = 0; round < 5; round++) mock.timers.tick(10)
  await turn()
  t.equal(begun, 1)
  let stopped = false
  const stopping = chores.stop().then(() => {
    stopped = true
  })
  await turn()
  t.equal(stopped, false)
  finish()
  await stopping
  await turn()
  t.equal(begun, 1)
})

t.test('no chores are fine too', async (t) => {
  const chores = new Chores({ chores: [], log: recorder().log })
  await chores.run()
  await t.resolves(chores.stop())
})
