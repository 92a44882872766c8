import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { LiveClient, LiveEvent, LiveListener } from '../../bench/load/live-client.ts'
import { SocketClient } from '../../bench/load/socket-client.ts'
import { StreamClient } from '../../bench/load/stream-client.ts'
import { until } from '../support/until.ts'

void t.test('an event of a stream is heard when its bytes are there, not with the next one', async (t) => {
  const { events, say } = await connected(
    t,
    (port, listener) => new StreamClient({ port, index: 0, path: '/stream' }, listener),
  )
  await say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n')
  await say(chunk('retry: 1000\n\n'))
  await say(chunk('event: position\nid: 7:1\ndata: {"position":12,"ahead":11}\n\n'))
  await until('the first event', () => events.length === 1)
  await say(chunk(':\n\n') + chunk('event: p') + chunk('aused\ndata: {}\n\n'))
  await until('the second event', () => events.length === 2)
  t.same(events, [
    { type: 'position', id: '7:1', data: { position: 12, ahead: 11 } },
    { type: 'paused', id: '', data: {} },
  ])
})

void t.test('a WebSocket subscribes, hears frames of every length and answers pings', async (t) => {
  const { events, say, heard, ended } = await connected(
    t,
    (port, listener) => new SocketClient({ port, index: 1, channel: 'units:sal_1' }, listener),
  )
  await say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
  const short = JSON.stringify({ ch: 'c', type: 'free', data: 1 })
  const long = JSON.stringify({ ch: 'c', type: 'delta', id: '7:2', data: 'x'.repeat(300) })
  await say(Buffer.concat([frame(1, short), frame(9, 'still there?'), frame(1, long)]))
  await until('both events', () => events.length === 2)
  t.same(events, [
    { type: 'free', id: '', data: 1 },
    { type: 'delta', id: '7:2', data: 'x'.repeat(300) },
  ])
  const subscribe = JSON.stringify({ op: 'subscribe', ch: 'units:sal_1' })
  await until('the pong', () => heard().includes('still there?'))
  t.ok(heard().includes(subscribe))
  t.ok(heard().indexOf(subscribe) < heard().indexOf('still there?'))
  await say(frame(8, Buffer.from([0x0f, 0xa1])))
  await until('the end', () => ended.length > 0)
  t.same(ended, ['closed: 4001'])
})

void t.test('a connection that the server refuses ends with what it said', async (t) => {
  const { events, say, ended } = await connected(
    t,
    (port, listener) => new SocketClient({ port, index: 2, channel: 'units:sal_1' }, listener),
  )
  await say('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')
  await until('the end', () => ended.length > 0)
  t.match(ended, [/^HTTP\/1.1 503 /])
  t.same(events, [])
})

void t.test('a stream says where it goes on, and keeps how long to wait before it does', async (t) => {
  const { client, say, heard } = await connected(
    t,
    (port, listener) => new StreamClient({ port, index: 3, path: '/stream', lastEventId: '7:2' }, listener),
  )
  await say(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${chunk('retry: 1234\n\n')}`)
  await until('the hint', () => client instanceof StreamClient && client.retryMs === 1234)
  t.match(heard(), /\r\nLast-Event-ID: 7:2\r\n/)
})

void t.test('a WebSocket says where it goes on', async (t) => {
  const { say, heard } = await connected(
    t,
    (port, listener) => new SocketClient({ port, index: 4, channel: 'units:s', since: '7:2' }, listener),
  )
  await say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
  await until('the subscription', () => heard().includes('"since":"7:2"'))
})

void t.test('a connection that is cut ends here at once, and at the server with a reset', async (t) => {
  const { client, say, heard, ended, socket } = await connected(
    t,
    (port, listener) => new SocketClient({ port, index: 5, channel: 'units:s' }, listener),
  )
  await say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
  await until('the subscription', () => heard().includes('units:s'))
  const failed = once(socket, 'error')
  client.cut()
  t.same(ended, ['cut'])
  const [error] = (await failed) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNRESET')
})

/** A client and the server's side of its connection, on which every byte is a packet of its own. */
async function connected(t: Test, connect: (port: number, listener: LiveListener) => LiveClient) {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const events: LiveEvent[] = []
  const ended: string[] = []
  const client: LiveClient = connect((server.address() as AddressInfo).port, {
    onEvent: (bytes) => void events.push(client.decode(bytes)),
    onEnd: (reason) => void ended.push(reason),
  })
  const [socket] = (await accepted) as [Socket]
  let heard = ''
  socket.setEncoding('latin1').on('data', (text: string) => (heard += text))
  // It may be cut off while it is written to.
  socket.on('error', () => {})
  t.teardown(() => {
    client.close()
    socket.destroy()
    server.close()
  })
  const say = async (bytes: string | Buffer): Promise<void> => {
    for (const byte of Buffer.from(bytes)) {
      socket.write(Buffer.from([byte]))
      await nextTurn()
    }
  }
  return { client, events, ended, heard: () => heard, say, socket }
}

/** A chunk as our web server writes it: it ends the line of the one before, or the head. */
function chunk(text: string): string {
  return `\r\n${text.length.toString(16)}\r\n${text}`
}

/** A frame as a server sends it. */
function frame(opcode: number, payload: string | Buffer): Buffer {
  const body = Buffer.from(payload)
  const length = body.length < 126 ? [body.length] : [126, body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([0x80 | opcode, ...length]), body])
}
