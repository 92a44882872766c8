/** What the server that tells everybody at each tick can be asked. */
export type TickFramesCalls = {
  listen: { asked: { channel: string }; answer: { port: number } }
  /** Tells each connection its position so many times. */
  tick: { asked: { ticks: number; everyMs: number }; answer: { frames: number } }
}
