import type { KeyChange, SigningKeyStore } from '../../src/domain/accounts/signing-key-store.ts'
import type { StoredKey } from '../../src/domain/accounts/signing-key.ts'

/** Signing keys without a database. Changes wait for each other, as they do there. */
export class MemoryKeyStore implements SigningKeyStore {
  #keys: StoredKey[] = []
  #turn: Promise<void> = Promise.resolve()
  loads = 0

  load(): Promise<StoredKey[]> {
    this.loads++
    return Promise.resolve([...this.#keys])
  }

  change(decide: (keys: readonly StoredKey[]) => Promise<KeyChange>): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const { add, end, remove } = await decide([...this.#keys])
      const ends = new Map(end.map(({ kid, verifiesUntilMs }) => [kid, verifiesUntilMs]))
      this.#keys = [...this.#keys, ...add]
        .filter(({ kid }) => !remove.includes(kid))
        .map((key) => ({ ...key, verifiesUntilMs: key.verifiesUntilMs ?? ends.get(key.kid) }))
    })
    return this.#turn
  }
}
