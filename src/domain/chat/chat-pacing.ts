import { createHash } from 'node:crypto'
import type { RedisServers } from '../../db/redis-servers.ts'
import { runScript, type ScriptReply } from '../../db/script.ts'
import { Problem, type ErrorDefinition } from '../../errors.ts'
import { chatErrors } from './chat-errors.ts'
import { chatKeys } from './chat-keys.ts'
import { chatPace } from './chat-scripts.ts'

/** One message a second in the long run, and five at once after a while of silence. */
const talking = { interval_ms: 1000, burst: 5 } as const
const naming = { interval_ms: 10_000, burst: 3 } as const

/** Verdicts of lua/chat-pace.lua. */
const verdicts: ReadonlyMap<number, ErrorDefinition> = new Map<number, ErrorDefinition>([
  [-1, chatErrors.chat_flooding],
  [-2, chatErrors.chat_repeated],
  [-3, chatErrors.chat_slow],
])

export interface PacedTalk {
  readonly storeId: string
  readonly accountId: string
  /** The same id again is not charged again. */
  readonly id: string
  readonly text: string
  readonly slowSeconds: number
}

/** Throws `chat_flooding`, `chat_repeated` or `chat_slow` for whoever says too much. */
export async function mustBePaced(redis: RedisServers, talk: PacedTalk): Promise<void> {
  const { storeId, accountId, id, text, slowSeconds } = talk
  const args = { id, text: digestOf(text), ...talking, slow_ms: slowSeconds * 1000 }
  mustBeSaid(await runScript(redis, chatPace, { keys: { pace: chatKeys.pace(storeId, accountId) }, args }))
}

/** Throws `chat_flooding` for whoever has a new name too often. */
export async function mustNameSlowly(
  redis: RedisServers,
  change: { readonly storeId: string; readonly accountId: string; readonly id: string },
): Promise<void> {
  const keys = { pace: chatKeys.naming(change.storeId, change.accountId) }
  const args = { id: change.id, text: '', ...naming, slow_ms: 0 }
  mustBeSaid(await runScript(redis, chatPace, { keys, args }))
}

function mustBeSaid(reply: ScriptReply): void {
  const [verdict, waitMs] = reply as [number, number]
  if (verdict === 0) return
  const definition = verdicts.get(verdict)
  if (definition === undefined) throw new Error(`a script answered with the unknown verdict ${verdict}`)
  throw new Problem(definition, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) })
}

/** The same whatever its capitals and spaces. */
function digestOf(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, '')
  return createHash('sha256').update(folded).digest('base64url').slice(0, 12)
}
