export interface CloseCode {
  readonly code: number
  /** Sent as the reason of the close frame. */
  readonly reason: string
  readonly meaning: string
  /** What a client does next. Codes from 4000 to 4499 say `reconnect`, those from 4500 to 4999 `stay-away`. */
  readonly client: 'reconnect' | 'stay-away'
}

/** Why the server closes a WebSocket. All that a client may meet beside the codes of the WebSocket protocol itself. */
export const closeCodes = {
  draining: {
    code: 4000,
    reason: 'draining',
    meaning: 'This server process stops; another one takes over.',
    client: 'reconnect',
  },
  tooSlow: {
    code: 4001,
    reason: 'too_slow',
    meaning: 'More was waiting for this connection than it read. Connect again and resume with `since`.',
    client: 'reconnect',
  },
  protocolViolation: {
    code: 4500,
    reason: 'protocol_violation',
    meaning:
      'Several frames in a row were not what this server understands; each was answered with an error.',
    client: 'stay-away',
  },
  tooFast: {
    code: 4501,
    reason: 'too_fast',
    meaning: 'Frames kept coming faster than allowed, after errors that said so.',
    client: 'stay-away',
  },
  loggedOut: {
    code: 4502,
    reason: 'logged_out',
    meaning: 'The account was logged out. Log in before connecting again.',
    client: 'stay-away',
  },
} as const satisfies Readonly<Record<string, CloseCode>>
