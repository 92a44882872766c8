export interface AccountCaller {
  readonly kind: 'account'
  readonly accountId: string
  /** A guest has proved nothing; a verified account an address. */
  readonly accountKind: 'guest' | 'verified'
}

export interface OrganiserCaller {
  readonly kind: 'organiser'
  readonly organiserId: string
}

/** Who makes a call, as proved by a token or a key. */
export type Caller = AccountCaller | OrganiserCaller

/** The id by which a caller's keys and limits are kept; the kinds cannot collide, their ids have prefixes. */
export function callerId(caller: Caller): string {
  return caller.kind === 'account' ? caller.accountId : caller.organiserId
}
