import type { Test } from 'tap'
import { z } from 'zod'
import { generalErrors, Problem } from '../../src/errors.ts'
import { defineChannel, type Events, type SubscribeContext } from '../../src/server/channel.ts'
import { SocketClient, startEdge } from './edge.ts'

const anything = z.unknown()
const events: Events = { position: anything, paused: anything, late: anything, n: anything }

/** Keeps who is subscribed, and lets the test decide when a subscription opens. */
export function watched(prefix = 'queue') {
  const contexts: SubscribeContext[] = []
  const undone: string[] = []
  const published: unknown[] = []
  let gate: Promise<void> = Promise.resolve()
  const channel = defineChannel({
    prefix,
    auth: 'account',
    events,
    publishes: anything,
    subscribe: async (context) => {
      contexts.push(context)
      await gate
      if (context.name === 'forbidden') throw new Problem(generalErrors.forbidden)
      if (context.name === 'broken') throw new Error('secret')
      return () => undone.push(context.name)
    },
    publish: async ({ name, caller, data }) => {
      await gate
      published.push({ name, caller, data })
    },
  })
  const hold = (): (() => void) => {
    let open = (): void => undefined
    gate = new Promise((resolve) => (open = resolve))
    return open
  }
  return { channel, contexts, undone, published, hold }
}

export const token = 'account-1'

/** A client of a server with the channel `queue`. */
export async function connected(t: Test) {
  const queue = watched()
  const edge = await startEdge(t, { channels: [queue.channel] })
  const client = await SocketClient.open(t, edge.port, { token })
  return { ...queue, ...edge, client }
}
