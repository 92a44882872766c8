import type { LiveClient } from './live-client.ts'

/** Connections that are being opened at once. */
const openingMax = 100
const patienceMs = 60_000

export interface Opening {
  /** To be called with the first event. */
  readonly heard: () => void
  readonly failed: (reason: string) => void
}

/** Opens so many connections; resolves when each has heard something. Rejects when one ends before, or after a minute. */
export async function openAll(
  count: number,
  open: (index: number, opening: Opening) => LiveClient,
): Promise<LiveClient[]> {
  const clients: LiveClient[] = []
  let heard = 0
  const openNext = async (): Promise<void> => {
    while (clients.length < count) {
      await new Promise<void>((resolve, reject) => {
        const index = clients.length
        const failed = (reason: string): void =>
          reject(new Error(`connection ${index} of ${count}, when ${heard} had heard something: ${reason}`))
        clients.push(open(index, { heard: resolve, failed }))
      })
      heard++
    }
  }
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${heard} of ${count} have heard something`)), patienceMs)
  })
  try {
    await Promise.race([patience, Promise.all(Array.from({ length: openingMax }, openNext))])
    return clients
  } catch (error) {
    for (const client of clients) client.close()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
