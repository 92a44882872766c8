import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Scope } from './stores.ts'

/** A way to a store that a test can close: connections are cut, and new ones are refused until it is opened again. */
export interface CuttableProxy {
  /** The store's address, through the proxy. */
  readonly url: string
  cut(): void
  /**
   * The connections that are there stay open and carry nothing any more, or nothing `there`, to the store, as when a machine
   * loses its power. New ones are let through.
   */
  silence(way?: 'both' | 'there'): void
  /** Lets connections through again, to another address from now on where one is given. */
  open(url?: string): void
}

export async function useCuttableProxy(t: Scope, storeUrl: string): Promise<CuttableProxy> {
  let { hostname, port } = new URL(storeUrl)
  const sockets = new Set<Socket>()
  const links = new Set<{ client: Socket; store: Socket }>()
  let isOpen = true
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  // A silent way does not carry the end of a connection either.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (!isOpen) return void client.destroy()
    const store = keep(connect({ port: Number(port), host: hostname, allowHalfOpen: true }))
    keep(client).pipe(store).pipe(client)
    const link = { client, store }
    links.add(link)
    client.on('close', () => {
      links.delete(link)
      store.destroy()
    })
    store.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    isOpen = false
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    cut()
    server.close()
  })
  const url = new URL(storeUrl)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    cut,
    silence: (way = 'both') => {
      for (const { client, store } of links) {
        client.unpipe(store).resume()
        if (way === 'both') store.unpipe(client).resume()
      }
    },
    open: (to) => {
      if (to !== undefined) ({ hostname, port } = new URL(to))
      isOpen = true
    },
  }
}
