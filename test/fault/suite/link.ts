import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What a link does with what passes through it. */
interface Weather {
  /** Nothing passes, and nobody is told: a cable that is pulled, a machine that is frozen. */
  readonly isStill: boolean
  /** How much later everything arrives, on each way. */
  readonly delayMs: number
  /** What is asked arrives, what is answered does not. */
  readonly losesAnswers: boolean
  /** How much later a COMMIT arrives. */
  readonly commitDelayMs: number
  /** Changes what is answered. */
  readonly garble: ((bytes: Buffer) => Buffer) | undefined
}

const fair: Weather = {
  isStill: false,
  delayMs: 0,
  losesAnswers: false,
  commitDelayMs: 0,
  garble: undefined,
}

/** A way from one process to another over TCP, which can be cut, frozen, slowed, and made to lose answers. */
export class Link {
  readonly port: number
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #target: number
  #weather = fair
  #isCut = false

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client: Socket) => this.#connect(client))
  }

  /** @param target a port of this machine */
  static async to(target: number): Promise<Link> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Link(server, target)
  }

  /** Connections that are open end, and new ones are refused until it is mended. */
  cut(): void {
    this.#isCut = true
    this.#endAll()
  }

  /** Everything passes again, to another port from now on where one is given. */
  mend(target = this.#target): void {
    this.#target = target
    this.#isCut = false
    this.#set(fair)
  }

  freeze(): void {
    this.#set({ ...this.#weather, isStill: true })
  }

  delay(ms: number): void {
    this.#set({ ...this.#weather, delayMs: ms })
  }

  /** From now on what is asked arrives and what is answered does not; `mend` ends the connections that it happened to. */
  loseAnswers(): void {
    this.#set({ ...this.#weather, losesAnswers: true })
  }

  /** Each COMMIT arrives so much later, and whatever comes after it on its connection. */
  holdCommits(ms: number): void {
    this.#set({ ...this.#weather, commitDelayMs: ms })
  }

  /** What is answered arrives as `garble` has changed it. */
  garble(garble: (bytes: Buffer) => Buffer): void {
    this.#set({ ...this.#weather, garble })
  }

  /** The other side is gone from all open connections, and nobody is told; `mend` ends them. */
  halfOpen(): void {
    for (const pair of this.#pairs) pair.halfOpen()
  }

  /** Ports from which the connections of this link reach their target. */
  get ports(): number[] {
    return [...this.#pairs].map((pair) => pair.port)
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #set(weather: Weather): void {
    const lost = this.#weather.losesAnswers && !weather.losesAnswers
    this.#weather = weather
    // What was lost would be missing in the middle of what comes after it.
    if (lost) this.#endAll()
    if (weather === fair) for (const pair of this.#pairs) pair.endHalfOpen()
    for (const pair of this.#pairs) pair.heed()
  }

  #endAll(): void {
    for (const pair of this.#pairs) pair.end()
  }

  #connect(client: Socket): void {
    if (this.#isCut) {
      client.on('error', () => undefined)
      client.destroy()
      return
    }
    const pair = new Pair(client, connect(this.#target, '127.0.0.1'), () => this.#weather)
    this.#pairs.add(pair)
    pair.whenOver(() => this.#pairs.delete(pair))
  }
}

/** By which timers are late. */
const marginMs = 20

/** One connection through a link. */
class Pair {
  readonly #client: Socket
  readonly #store: Socket
  readonly #weather: () => Weather
  #isHalfOpen = false
  /** When all that was slowed will have arrived. */
  #busyUntilMs = 0

  constructor(client: Socket, store: Socket, weather: () => Weather) {
    this.#client = client
    this.#store = store
    this.#weather = weather
    for (const socket of [client, store]) {
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      // What is under way arrives, also when its sender is gone.
      socket.on('close', () => {
        if (!this.#isHalfOpen)
          setTimeout(() => this.end(), Math.max(0, this.#busyUntilMs - Date.now()) + marginMs)
      })
    }
    this.#pass(client, store, false)
    this.#pass(store, client, true)
    this.heed()
  }

  get port(): number {
    return this.#store.localPort ?? 0
  }

  whenOver(work: () => void): void {
    this.#client.once('close', work)
  }

  end(): void {
    this.#client.destroy()
    this.#store.destroy()
  }

  halfOpen(): void {
    this.#isHalfOpen = true
    this.#store.destroy()
  }

  endHalfOpen(): void {
    if (this.#isHalfOpen) this.#client.destroy()
  }

  heed(): void {
    for (const socket of [this.#client, this.#store]) {
      if (this.#weather().isStill) socket.pause()
      else socket.resume()
    }
  }

  #pass(from: Socket, to: Socket, isAnswer: boolean): void {
    /** What was slowed and is still on its way, in its order. */
    const slowed: { readonly bytes: Buffer | undefined; readonly atMs: number }[] = []
    const arrive = (): void => {
      for (let [next] = slowed; next !== undefined; [next] = slowed) {
        const inMs = next.atMs - Date.now()
        if (inMs > 0) return void setTimeout(arrive, inMs)
        slowed.shift()
        if (next.bytes === undefined) to.end()
        else this.#write(from, to, next.bytes)
      }
    }
    // Nothing overtakes what was slowed before it, however late its timer is.
    const send = (bytes: Buffer | undefined, laterMs: number): void => {
      const atMs = Math.max(slowed.at(-1)?.atMs ?? 0, Date.now() + laterMs)
      slowed.push({ bytes, atMs })
      this.#busyUntilMs = Math.max(this.#busyUntilMs, atMs)
      if (slowed.length === 1) arrive()
    }
    from.on('data', (sent: Buffer) => {
      const { delayMs, losesAnswers, commitDelayMs, garble } = this.#weather()
      if (isAnswer && losesAnswers) return
      const bytes = isAnswer && garble !== undefined ? garble(sent) : sent
      send(bytes, delayMs + (!isAnswer && commitDelayMs > 0 && isCommit(sent) ? commitDelayMs : 0))
    })
    from.on('end', () => send(undefined, 0))
  }

  /** Whoever does not read keeps the other side from writing, as without a link. */
  #write(from: Socket, to: Socket, bytes: Buffer): void {
    if (to.write(bytes)) return
    from.pause()
    to.once('drain', () => this.heed())
  }
}

/** Of PostgreSQL's protocol, whichever way it is asked. */
function isCommit(bytes: Buffer): boolean {
  return bytes.includes('commit') || bytes.includes('COMMIT')
}
