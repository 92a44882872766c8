/** A part of the process with a life of its own. The root runs them in order and stops them in the reverse order. */
export interface Service {
  readonly name: string
  /** Resolves when the service does its work; rejects when it cannot begin. */
  run(): Promise<void>
  /** Takes no new work and finishes what is under way. */
  drain?(): Promise<void>
  /** Lets go of everything, whether drained or not. */
  stop(): Promise<void>
}
