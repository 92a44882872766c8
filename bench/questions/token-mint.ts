import { systemClock } from '../../src/clock.ts'
import { AccessTokens } from '../../src/domain/accounts/access-token.ts'
import { PostgresSigningKeyStore } from '../../src/domain/accounts/signing-key-store.ts'
import { SigningKeys } from '../../src/domain/accounts/signing-keys.ts'
import type { Sql } from '../../src/db/postgres.ts'
import { randomIds } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'

/** The `iss` of a server that has no public address. */
export const issuer = 'openrun'

/** Signs access tokens with the keys of the server whose database it is, so that no server has seen them. */
export class TokenMint {
  readonly keys: SigningKeys
  readonly #tokens: AccessTokens

  private constructor(keys: SigningKeys) {
    this.keys = keys
    this.#tokens = new AccessTokens({ keys, clock: systemClock, issuer })
  }

  static async open(sql: Sql): Promise<TokenMint> {
    const store = new PostgresSigningKeyStore(sql)
    const log = createLog({ level: 'silent' })
    const keys = new SigningKeys({ store, clock: systemClock, ids: randomIds, log })
    await keys.reload()
    return new TokenMint(keys)
  }

  /** One for each account in turn, until there are so many. All are different: a signature never comes twice. */
  async sign(accounts: readonly string[], count: number): Promise<string[]> {
    const tokens: string[] = []
    const sign = async (): Promise<void> => {
      while (begun < count) {
        const at = begun++
        const accountId = accounts[at % accounts.length] ?? ''
        tokens[at] = (await this.#tokens.issue({ accountId, accountKind: 'guest' })).token
      }
    }
    let begun = 0
    await Promise.all(Array.from({ length: signedAtOnce }, sign))
    return tokens
  }
}

/** As many as keep all cores at it. */
const signedAtOnce = 64
