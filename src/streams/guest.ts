import type { QueueEvent } from '../domain/queue/queue-messages.ts'

export type Tell = (event: QueueEvent) => void

/** An account that listens to the line of a sale, over one connection or several. */
export class Guest {
  readonly accountId: string
  readonly #tells = new Set<Tell>()
  /** What it was last told of its place, so that it is not told twice; empty before anything was. */
  told = ''
  /** It was told how things stand: from then on it hears of every change. */
  isWelcomed = false
  /** Its place, once it is known that it waits. */
  sequence: number | undefined

  constructor(accountId: string) {
    this.accountId = accountId
  }

  get isGone(): boolean {
    return this.#tells.size === 0
  }

  listen(tell: Tell): () => void {
    this.#tells.add(tell)
    return () => this.#tells.delete(tell)
  }

  tell(event: QueueEvent): void {
    for (const tell of this.#tells) tell(event)
  }

  /** Tells what was not told last. `name` stands for the event with all it says. */
  tellOnce(name: string, event: QueueEvent): void {
    if (this.told === name) return
    this.told = name
    this.tell(event)
  }
}
