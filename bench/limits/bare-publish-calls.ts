/** What the bare publisher can be asked. */
export type BarePublishCalls = {
  listen: { asked: undefined; answer: { port: number } }
  /** Tells everybody at once, and whoever comes later when they come. */
  tell: { asked: { text: string }; answer: undefined }
  /** Publishes texts, each so long after the start; answers when it did, in microseconds of the monotonic clock. */
  play: {
    asked: { frames: readonly { afterMicros: number; text: string }[] }
    answer: { atMicros: number[] }
  }
}
