import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** What a helper can be asked: a name, what goes with it, what comes back. All of it survives `structuredClone`. */
export type Calls = Record<string, { asked: unknown; answer: unknown }>

interface Asked {
  readonly id: number
  readonly name: string
  readonly asked: unknown
}

type Answered =
  | { readonly id: number; readonly ok: true; readonly answer: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string }

/** A program of the bench in a process of its own, so that what it costs can be told from what it measures. */
export class HelperProcess<C extends Calls> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<
    number,
    { resolve: (answer: unknown) => void; reject: (error: Error) => void }
  >()
  #lastId = 0
  #ended: Error | undefined

  constructor(file: URL) {
    this.#child = fork(file, {
      execArgv: ['--import=tsx', '--enable-source-maps'],
      serialization: 'advanced',
    })
    this.#child.on('message', (message) => this.#settle(message as Answered))
    this.#child.on('exit', (code, signal) => {
      const ended = new Error(`${file.pathname} ended: ${signal ?? code}`)
      this.#ended = ended
      for (const { reject } of this.#waiting.values()) reject(ended)
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Rejects with the helper's own error, or when it ends. */
  ask<K extends keyof C & string>(name: K, asked: C[K]['asked']): Promise<C[K]['answer']> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, name, asked } satisfies Asked)
    })
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
  }

  #settle(message: Answered): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.ok) waiting?.resolve(message.answer)
    else waiting?.reject(new Error(message.error))
  }
}

/** The helper's side: answers what its parent asks, and ends with it. */
export function serveParent<C extends Calls>(answers: {
  readonly [K in keyof C]: (asked: C[K]['asked']) => Promise<C[K]['answer']>
}): void {
  const send = (message: Answered): void => void process.send?.(message)
  process.on('message', (message) => {
    const { id, name, asked } = message as Asked
    answers[name as keyof C](asked as C[keyof C]['asked']).then(
      (answer) => send({ id, ok: true, answer }),
      (error: unknown) =>
        send({ id, ok: false, error: error instanceof Error ? String(error.stack) : String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
}
