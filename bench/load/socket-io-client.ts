import type { LiveListener, LiveTarget } from './live-client.ts'
import { SocketClient } from './socket-client.ts'

/** How an event begins: the kinds of the packet and of the message, and the name of the event. */
const eventStart = Buffer.from('42["m",')
const kinds = { opened: 0x30, ping: 0x32, message: 0x34 } as const
const connected = 0x30
const event = 0x32

/** Socket.IO over a WebSocket, as far as hearing one event needs it. */
export class SocketIoClient extends SocketClient {
  constructor(target: Omit<LiveTarget, 'path'>, listener: LiveListener) {
    super({ ...target, path: '/socket.io/?EIO=4&transport=websocket' }, listener)
  }

  /** The server speaks first. */
  protected override opened(): void {}

  protected override heard(packet: Buffer): void {
    const [kind, message] = packet
    if (kind === kinds.message && message === event) {
      this.listener.onEvent(packet.subarray(eventStart.length, -1))
    } else if (kind === kinds.opened) {
      // Into the namespace that everybody is in.
      this.sendText('40')
    } else if (kind === kinds.ping) {
      this.sendText('3')
    } else if (kind !== kinds.message || message !== connected) {
      this.fail(`the server says ${packet.toString()}`)
    }
  }
}
