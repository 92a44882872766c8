import { setTimeout as wait } from 'node:timers/promises'
import type { Fetch, FetchInit } from '../../../src/client/client-ports.ts'

const share = 0.4
const reloadsMax = 6
const pauseMs = { least: 300, most: 2_500 }

/**
 * A `fetch` behind which some who wait reload their page: they join again with their ticket, at whichever edge, as long as
 * they wait.
 */
export function reloading(fetch: Fetch, { urls, random }: { urls: readonly string[]; random: () => number }) {
  /** Those who have done something else than to wait, by their tokens. */
  const past = new Set<string>()
  return async (...[url, init]: Parameters<Fetch>): ReturnType<Fetch> => {
    const isJoin = init.method === 'POST' && url.endsWith('/queue')
    if (!isJoin && init.method !== 'GET') past.add(tokenOf(init))
    const response = await fetch(url, init)
    if (!isJoin || response.status !== 201 || random() > share) return response
    const { status, headers, body } = response
    const text = async (): Promise<string> => {
      const told = await response.text()
      const { ticket } = JSON.parse(told) as { ticket: string }
      void reload(new URL(url).pathname, init, ticket).catch(() => undefined)
      return told
    }
    return { status, headers, body, text }
  }

  async function reload(path: string, init: FetchInit, ticket: string): Promise<void> {
    const { headers } = init
    for (let left = reloadsMax; left > 0; left--) {
      await wait(pauseMs.least + random() * (pauseMs.most - pauseMs.least))
      const url = `${urls[Math.floor(random() * urls.length)] ?? ''}${path}`
      const standing = await fetch(`${url}/me`, { method: 'GET', headers }).then((answer) => answer.text())
      if (past.has(tokenOf(init)) || standing.includes('"state":"admitted"')) return
      const again = { method: 'POST', headers, body: JSON.stringify({ ticket }) }
      await fetch(url, again).then((answer) => answer.text())
    }
  }
}

function tokenOf({ headers }: FetchInit): string {
  return headers['authorization'] ?? ''
}
