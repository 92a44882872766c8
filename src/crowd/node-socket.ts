import { WebSocket } from 'ws'

/** The WebSocket of `ws` as the client wants it, without compression: a crowd has no memory for 2,000 dictionaries. */
export class NodeSocket extends WebSocket {
  constructor(url: string, protocols?: string[], options?: { headers: Record<string, string> }) {
    super(url, protocols, { ...options, perMessageDeflate: false, handshakeTimeout: 10_000 })
  }
}
