import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { until } from '../support/until.ts'
import { Link } from './suite/link.ts'

/** A link to a server, one connection through it, and both of its ends. */
async function setting(t: Test) {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const link = await Link.to((server.address() as AddressInfo).port)
  const client = connect(link.port, '127.0.0.1')
  const [store] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => {
    client.destroy()
    store.destroy()
    link.close()
    server.close()
  })
  const heard: string[] = []
  client.on('data', (bytes: Buffer) => heard.push(bytes.toString()))
  return { link, store, client, heard: () => heard.join('') }
}

/** As a machine that has much to do. */
function block(ms: number): void {
  for (const untilMs = Date.now() + ms; Date.now() < untilMs;);
}

t.test('nothing overtakes what was slowed, and all of it arrives before the end', async (t) => {
  const { link, store, client, heard } = await setting(t)
  link.delay(60)
  store.write('a')
  await wait(20)
  store.write('b')
  await wait(20)
  link.mend()
  store.write('c')
  await wait(1)
  store.write('d')
  block(80)
  store.end('e')
  await once(client, 'end')
  t.equal(heard(), 'abcde')
})

t.test('answers that are lost never leave a hole: the connection ends', async (t) => {
  const { link, store, client, heard } = await setting(t)
  store.write('a')
  await until('a is heard', () => heard() === 'a')
  link.loseAnswers()
  store.write('b')
  await wait(20)
  link.mend()
  store.write('c')
  await once(client, 'close')
  t.equal(heard(), 'a')
})
