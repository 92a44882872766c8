/**
 * Everything Redis holds of one room, all under the hash tag of its store. Nothing of it is missed when it is lost.
 *
 * | key      | type | holds |
 * |----------|------|-------|
 * | presence | hash | process → `members:endsMs`, what each process counts |
 * | pace:…   | hash | of one account: `tat` (when its next message would be in time, ms), `said` and `recent` |
 */
export const chatKeys = {
  presence: (storeId: string): string => `{${storeId}}:chat:presence`,
  pace: (storeId: string, accountId: string): string => `{${storeId}}:chat:pace:${accountId}`,
  /** Names are changed at a pace of their own. */
  naming: (storeId: string, accountId: string): string => `{${storeId}}:chat:naming:${accountId}`,
} as const

/** Where processes tell each other what happened in a room. */
export function chatChannel(storeId: string): string {
  return `{${storeId}}:ch:chat`
}
