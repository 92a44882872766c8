/** The servers that can be asked. All calls of a client go to one of them until it fails. */
export class Addresses {
  readonly #urls: readonly string[]
  #index = 0

  /** @param urls base addresses such as `https://tickets.example`, without a path */
  constructor(urls: readonly string[]) {
    if (urls.length === 0) throw new Error('A client needs the address of a server')
    this.#urls = urls.map((url) => url.replace(/\/+$/, ''))
  }

  get current(): string {
    return this.#urls[this.#index] ?? ''
  }

  /** Goes on to the next server, unless another call has found out before. */
  noteFailure(url: string): void {
    if (url === this.current) this.#index = (this.#index + 1) % this.#urls.length
  }
}
