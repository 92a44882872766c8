/** A guest needs nothing but a click; a verified account has proved an address. */
export type AccountKind = 'guest' | 'verified'

export interface Account {
  readonly id: string
  readonly kind: AccountKind
}
