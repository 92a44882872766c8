/** The sequence that a queue ticket was issued for. Tickets are signed, not secret. */
export function sequenceOfTicket(ticket: string): number {
  const fields = jsonOf(ticket.split('.')[0])
  const sequence: unknown = Array.isArray(fields) ? fields[3] : undefined
  if (typeof sequence !== 'number') throw new Error('The queue ticket names no sequence')
  return sequence
}

/** The sequence of the admission that a purchase token stands for: its `jti`, written to the base of 36. */
export function sequenceOfPurchaseToken(token: string): number {
  const claims = jsonOf(token.split('.')[1])
  const jti = isRecord(claims) ? claims['jti'] : undefined
  const sequence = typeof jti === 'string' ? Number.parseInt(jti, 36) : Number.NaN
  if (!Number.isSafeInteger(sequence)) throw new Error('The purchase token names no admission')
  return sequence
}

/** The account that an access token is of. */
export function accountOfToken(token: string): unknown {
  const claims = jsonOf(token.split('.')[1])
  return isRecord(claims) ? claims['sub'] : undefined
}

/** The booking and the unit that a ticket's code names. */
export function namesInTicketCode(code: string): { booking: unknown; unit: unknown } {
  const claims = jsonOf(code.split('.')[1])
  return isRecord(claims)
    ? { booking: claims['b'], unit: claims['u'] }
    : { booking: undefined, unit: undefined }
}

function jsonOf(part: string | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
