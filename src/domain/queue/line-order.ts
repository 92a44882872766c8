import { epochOfSequence } from './queue-place.ts'

/**
 * Who stands in a line, as ranks. A sequence is `epoch · 2³² + n` and each n is given once, so an epoch's members are a
 * set of small numbers: one bit each, with counts above them. A rank costs some twenty steps whatever the length; a
 * million waiters are 125 kB.
 */
export class LineOrder {
  readonly #members = new Map<number, MemberBits>()
  /** The epochs of `#members`, in order. */
  #epochs: number[] = []

  /** How many stand in the line. */
  get size(): number {
    let sum = 0
    for (const members of this.#members.values()) sum += members.size
    return sum
  }

  /** How many stand before this one; undefined when it does not stand in the line. */
  rank(sequence: number): number | undefined {
    const epoch = epochOfSequence(sequence)
    const members = this.#members.get(epoch)
    const n = sequence - firstOf(epoch)
    if (members === undefined || !members.has(n)) return undefined
    let before = members.countBelow(n)
    for (const older of this.#epochs) {
      if (older >= epoch) break
      before += this.#members.get(older)?.size ?? 0
    }
    return before
  }

  /** The numbers `from` to `to` of an epoch, both included, were given. */
  issue(epoch: number, from: number, to: number): void {
    if (to >= from) this.#membersOf(epoch).addRange(from, to)
  }

  enter(sequence: number): void {
    const epoch = epochOfSequence(sequence)
    this.#membersOf(epoch).addRange(sequence - firstOf(epoch), sequence - firstOf(epoch))
  }

  /** Takes out whoever is marked in bits as Redis keeps them: bit 0 is the highest of the first byte. */
  leaveMarked(epoch: number, firstByte: number, marks: Uint8Array): void {
    const members = this.#membersOf(epoch)
    marks.forEach((byte, index) => {
      for (let bit = 0; byte !== 0 && bit < 8; bit++) {
        if ((byte & (0x80 >> bit)) !== 0) members.remove((firstByte + index) * 8 + bit)
      }
    })
  }

  leave(sequence: number): void {
    const epoch = epochOfSequence(sequence)
    this.#members.get(epoch)?.remove(sequence - firstOf(epoch))
    this.#forgetEmpty()
  }

  /** Everybody up to and including this one has left. */
  leaveUpTo(sequence: number): void {
    const epoch = epochOfSequence(sequence)
    for (const [other, members] of this.#members) {
      if (other < epoch) members.removeUpTo(Infinity)
      else if (other === epoch) members.removeUpTo(sequence - firstOf(epoch))
    }
    this.#forgetEmpty()
  }

  #membersOf(epoch: number): MemberBits {
    const known = this.#members.get(epoch)
    if (known !== undefined) return known
    const fresh = new MemberBits()
    this.#members.set(epoch, fresh)
    this.#epochs = [...this.#members.keys()].toSorted((a, b) => a - b)
    return fresh
  }

  /** An epoch of which nobody is left is not remembered, but for the present one, which goes on. */
  #forgetEmpty(): void {
    const present = this.#epochs.at(-1)
    const empty = this.#epochs.filter((epoch) => epoch !== present && this.#members.get(epoch)?.size === 0)
    if (empty.length === 0) return
    for (const epoch of empty) this.#members.delete(epoch)
    this.#epochs = this.#epochs.filter((epoch) => !empty.includes(epoch))
  }
}

function firstOf(epoch: number): number {
  return epoch * 2 ** 32
}

/** Words of 32 bits that one count stands for. */
const blockWords = 32
const blockBits = 32 * blockWords

/** A set of whole numbers that answers how many lie below one: bits, and a Fenwick tree of the counts of blocks. */
class MemberBits {
  #words = new Uint32Array(blockWords)
  /** From 1; `#counts[i]` sums the blocks that the lowest set bit of i spans. */
  #counts = new Int32Array(2)
  /** No word before this one has a bit set. */
  #lowest = 0
  size = 0

  has(n: number): boolean {
    return (((this.#words[n >>> 5] ?? 0) >>> (n & 31)) & 1) === 1
  }

  countBelow(n: number): number {
    const word = n >>> 5
    const block = Math.floor(word / blockWords)
    let count = bitsIn((this.#words[word] ?? 0) & ((1 << (n & 31)) - 1))
    for (let at = block * blockWords; at < word; at++) count += bitsIn(this.#words[at] ?? 0)
    for (let at = block; at > 0; at -= at & -at) count += this.#counts[at] ?? 0
    return count
  }

  addRange(from: number, to: number): void {
    this.#makeRoom(to)
    this.#lowest = Math.min(this.#lowest, from >>> 5)
    for (let word = from >>> 5; word <= to >>> 5; word++) {
      const low = Math.max(from - word * 32, 0)
      const high = Math.min(to - word * 32, 31)
      this.#set(word, (this.#words[word] ?? 0) | ((0xffffffff >>> (31 - high)) & (0xffffffff << low)))
    }
  }

  remove(n: number): void {
    if (this.has(n)) this.#set(n >>> 5, (this.#words[n >>> 5] ?? 0) & ~(1 << (n & 31)))
  }

  /** Each word is passed once in the life of the line, unless somebody came back before it. */
  removeUpTo(n: number): void {
    const last = Math.min(Math.floor(n / 32), this.#words.length - 1)
    for (let word = this.#lowest; word <= last; word++) {
      const kept = word * 32 + 31 <= n ? 0 : 0xffffffff << ((n & 31) + 1)
      this.#set(word, (this.#words[word] ?? 0) & kept)
    }
    this.#lowest = Math.max(this.#lowest, last)
  }

  #set(word: number, bits: number): void {
    const change = bitsIn(bits) - bitsIn(this.#words[word] ?? 0)
    this.#words[word] = bits
    if (change === 0) return
    this.size += change
    const { length } = this.#counts
    for (let at = Math.floor(word / blockWords) + 1; at < length; at += at & -at) {
      this.#counts[at] = (this.#counts[at] ?? 0) + change
    }
  }

  #makeRoom(n: number): void {
    if (n < this.#words.length * 32) return
    const blocks = 2 ** Math.ceil(Math.log2(Math.floor(n / blockBits) + 1))
    const words = new Uint32Array(blocks * blockWords)
    words.set(this.#words)
    this.#words = words
    this.#counts = new Int32Array(blocks + 1)
    for (let block = 0; block < blocks; block++) {
      let count = 0
      for (let word = block * blockWords; word < (block + 1) * blockWords; word++)
        count += bitsIn(words[word] ?? 0)
      for (let at = block + 1; count > 0 && at <= blocks; at += at & -at)
        this.#counts[at] = (this.#counts[at] ?? 0) + count
    }
  }
}

/** How many bits of a word are set. */
function bitsIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return (((fours + (fours >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}
