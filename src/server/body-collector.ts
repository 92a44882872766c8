/**
 * Gathers a request's body in one buffer that grows up to a limit. A list of chunks would let a client that sends
 * byte by byte make the server keep a hundred times what it sent.
 */
export class BodyCollector {
  readonly #bytesMax: number
  #buffer = nothing
  #used = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** The whole body when it came in one piece is not copied: the bytes given back are valid for this turn only. */
  add(chunk: ArrayBuffer, isLast: boolean): Uint8Array | 'more' | 'too-large' {
    const bytes = new Uint8Array(chunk)
    const total = this.#used + bytes.byteLength
    if (total > this.#bytesMax) return 'too-large'
    if (isLast && this.#used === 0) return bytes
    if (total > this.#buffer.byteLength) this.#grow(total)
    this.#buffer.set(bytes, this.#used)
    this.#used = total
    return isLast ? this.#buffer.subarray(0, total) : 'more'
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, 2 * this.#buffer.byteLength)))
    grown.set(this.#buffer.subarray(0, this.#used))
    this.#buffer = grown
  }
}

/** Nearly every body comes in one piece and needs no buffer: this one serves them all. */
const nothing = new Uint8Array(0)
