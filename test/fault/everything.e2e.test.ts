import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { processStart } from '../../src/db/local/process-start.ts'
import { freeSlots } from '../support/calls.ts'
import { at, textAt } from '../support/contract.ts'
import { newOptions } from '../support/local-stores.ts'
import { connectServer, ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

t.test(
  'what was answered survives the death of every process, PostgreSQL and Redis among them',
  async (t) => {
    const { dataDir, parent } = await newOptions(t)
    const env = { OPENRUN_DATA_DIR: dataDir, OPENRUN_DEMO: 'false', TMPDIR: join(parent, 'tmp') }
    const first = new ServerProcess(t, env)
    await first.listening()
    const organiserKey = (await readFile(join(dataDir, 'organiser-key'), 'utf8')).trim()
    const server = await connectServer(t, { process: first, organiserKey })
    const saleId = await server.sale(freeSlots(1))
    const buyer = await server.guest()
    const token = await buyer.letIn(saleId)

    const second = new ServerProcess(t, env)
    t.match(
      await second.ended,
      { code: 1, stderr: /^[^\n]*is in use[^\n]*\n$/ },
      'the folder is refused to others',
    )

    const all = [...(await descendantsOf(first.pid)), first.pid]
    const booked = await buyer.book(saleId, token, { best: { count: 1 } })
    for (const pid of all) process.kill(pid, 'SIGKILL')
    t.equal(booked.status, 201)
    await until('all are gone', () => all.every((pid) => !processStart(pid)))

    const third = new ServerProcess(t, env)
    const again = await connectServer(t, { process: third, organiserKey })
    const order = await buyer.at(again).get(textAt(booked.body, 'order.id'))
    t.equal(at(order.body, 'order.status'), 'booked')
    t.notOk(
      third.lines.some((line) => line.includes('key')),
      'the key is shown once',
    )
    third.signal('SIGTERM')
    t.match(await third.ended, { code: 0, stderr: '' })
  },
)

/** Processes that a process has started, and those that they have. */
async function descendantsOf(pid: number): Promise<number[]> {
  const all = (await readdir('/proc')).map(Number).filter((id) => id > 0)
  const children = all.filter((id) => parentOf(id) === pid)
  const below = await Promise.all(children.map(descendantsOf))
  return [...children, ...below.flat()]
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}
