/**
 * Everything Redis holds of one sale. All names carry the hash tag `{sale}`, channels too, so that a script may touch
 * any of them in one slot.
 *
 * | key        | type | holds |
 * |------------|------|-------|
 * | state      | hash | epoch, run_id, fence, ready, the settings scripts need, counters (see lua/guard.lua) |
 * | queue      | zset | account → sequence, the line |
 * | gone       | bits | bit n: the sequence n of this epoch was given and is not in the line any more |
 * | moves      | list | what happened in the line since the last head update (see ../queue/lua/line.lua) |
 * | seen       | zset | account → when it was last known to be there, ms; only of those near the front |
 * | aside      | zset | account → until when it may come back to the front, ms; away when its turn came |
 * | aside_places | hash | account → the sequence it had |
 * | active     | hash | account → `sequence:expiresMs:admittedMs`, the purchase tokens that are valid |
 * | ends       | zset | account → when its token ends, ms |
 * | granting   | hash | account → its record in `active`, popped from the line and not yet durable |
 * | closing    | hash | sequence → `reason:ms:account`, over in Redis and not yet so in PostgreSQL |
 * | pace       | list | `ms:count`, admissions of the last minute |
 * | restored   | set  | edges that have put their waiters back since the epoch began |
 * | left       | hash | unit → free places |
 * | next       | hash | unit → lowest ordinal never given; absent where none ever was |
 * | spare      | zset | `unit:ordinal` given back, scored by unit |
 * | places     | hash | `unit:ordinal` → `h:hold`, `p:order` (reserved) or `s:order` (sold) |
 * | accounts   | hash | account → bit mask of its places (bit nth − 1) |
 * | bought     | hash | account → places sold to it |
 * | holds      | hash | hold → {account, places, expires, order?} as JSON |
 * | hold_ends  | zset | hold → when it ends, ms |
 * | pinned     | zset | hold → when an order pinned it, ms |
 * | holding    | hash | account → its holds, separated by commas |
 */
export interface SaleKeys {
  readonly state: string
  readonly queue: string
  readonly gone: string
  readonly moves: string
  readonly seen: string
  readonly aside: string
  readonly aside_places: string
  readonly active: string
  readonly ends: string
  readonly granting: string
  readonly closing: string
  readonly pace: string
  readonly restored: string
  readonly left: string
  readonly next: string
  readonly spare: string
  readonly places: string
  readonly accounts: string
  readonly bought: string
  readonly holds: string
  readonly hold_ends: string
  readonly pinned: string
  readonly holding: string
}

export type SaleKeyName = keyof SaleKeys

const names = [
  'state',
  'queue',
  'gone',
  'moves',
  'seen',
  'aside',
  'aside_places',
  'active',
  'ends',
  'granting',
  'closing',
  'pace',
  'restored',
  'left',
  'next',
  'spare',
  'places',
  'accounts',
  'bought',
  'holds',
  'hold_ends',
  'pinned',
  'holding',
] as const satisfies readonly SaleKeyName[]

export const saleKeyNames: readonly SaleKeyName[] = names

export function saleKeys(saleId: string): SaleKeys {
  return Object.fromEntries(names.map((name) => [name, `{${saleId}}:${name}`])) as unknown as SaleKeys
}

/**
 * Channels of one sale. `queue`: who was let in, epochs. `line`: the head of the line, some times a second. `units`:
 * deltas of the map. `wake`: a place became free.
 */
export const saleChannels = {
  queue: (saleId: string): string => `{${saleId}}:ch:queue`,
  line: (saleId: string): string => `{${saleId}}:ch:line`,
  units: (saleId: string): string => `{${saleId}}:ch:units`,
  wake: (saleId: string): string => `{${saleId}}:ch:wake`,
} as const
