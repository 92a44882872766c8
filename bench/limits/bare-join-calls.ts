/** What the bare server can be asked. */
export type BareJoinCalls = {
  /** @param ticketChars how long a ticket to put into each answer, so that it is as big as ours */
  listen: { asked: { redisUrl: string; ticketChars: number }; answer: { port: number } }
  /** Looks up what the script needs to know of these sales. */
  know: { asked: { sales: readonly string[] }; answer: undefined }
}
