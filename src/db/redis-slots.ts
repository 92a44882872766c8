import { hostAndPort } from './redis-address.ts'

/** A cluster divides its keys among so many slots. */
const slotCount = 16_384

/** CRC-16 (XMODEM) of each byte, as the cluster's specification gives it. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80_00 ? (crc << 1) ^ 0x10_21 : crc << 1
  return crc & 0xff_ff
})

/** The slot of a key: that of what stands between its first braces, if something does. */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed)) crc = ((crc << 8) & 0xff_ff) ^ (table[(crc >> 8) ^ byte] ?? 0)
  return crc % slotCount
}

/** Which master has which slots, as one of them said it. */
export class SlotTable {
  readonly #owners: (string | undefined)[]

  constructor(owners: readonly (string | undefined)[] = []) {
    this.#owners = Array.from({ length: slotCount }, (_, slot) => owners[slot])
  }

  /**
   * Reads the reply of CLUSTER SLOTS: `[first, last, [host, port, …] of the master, …replicas]` for each range.
   * @param asked the host that answered; it may not know how others call it
   */
  static read(reply: readonly unknown[], asked: string): SlotTable {
    const owners: string[] = []
    for (const range of reply) {
      const [first, last, [host, port]] = range as [number, number, [string | null, number]]
      const address = hostAndPort(host === null || host === '' ? asked : host, port)
      for (let slot = first; slot <= last; slot++) owners[slot] = address
    }
    return new SlotTable(owners)
  }

  /** `host:port`; undefined while nobody is known to have the slot. */
  ownerOf(slot: number): string | undefined {
    return this.#owners[slot]
  }

  /** The one that was believed to have it says that it has not. */
  forget(slot: number): void {
    this.#owners[slot] = undefined
  }

  get owners(): Set<string> {
    return new Set(this.#owners.filter((owner) => owner !== undefined))
  }

  get isWhole(): boolean {
    return this.#owners.every((owner) => owner !== undefined)
  }
}
