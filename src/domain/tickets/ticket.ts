import { errors, jwtVerify, SignJWT } from 'jose'
import { Problem } from '../../errors.ts'
import type { SigningKeys } from '../accounts/signing-keys.ts'
import { ticketErrors } from './ticket-errors.ts'

/** What a ticket's code says. */
export interface TicketFields {
  readonly booking: string
  readonly sale: string
  /** The code of the seat or slot. */
  readonly unit: string
  /** Raised when a ticket is issued anew; only the latest issue is good. */
  readonly issue: number
}

const typ = 'ticket+jwt'
/** Twice what the longest honest code needs. */
const codeLengthMax = 1024

/**
 * Tickets as text: a compact JWS (ES256) of `{b: booking, s: sale, u: unit, n: issue}`. Names of one letter keep the QR
 * code coarse. It has no end and no holder's name, and whoever has the published keys can verify it without a network;
 * whether it was used or revoked only the server knows.
 */
export class TicketCodes {
  readonly #keys: SigningKeys

  constructor(keys: SigningKeys) {
    this.#keys = keys
  }

  async sign({ booking, sale, unit, issue }: TicketFields): Promise<string> {
    const key = this.#keys.signer('ticket')
    if (key.kind !== 'pair') throw new Error('The key for tickets cannot sign')
    return new SignJWT({ b: booking, s: sale, u: unit, n: issue })
      .setProtectedHeader({ alg: 'ES256', typ, kid: key.kid })
      .sign(key.sign)
  }

  /** Throws `ticket_invalid` for whatever was not signed here as a ticket. */
  async verify(code: string): Promise<TicketFields> {
    if (code.length > codeLengthMax) throw new Problem(ticketErrors.ticket_invalid)
    try {
      const { payload } = await jwtVerify(code, (header) => this.#mustFindKey(header.kid), {
        algorithms: ['ES256'],
        typ,
      })
      return mustBeFields(payload)
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) {
        throw new Problem(ticketErrors.ticket_invalid, { cause: error })
      }
      throw error
    }
  }

  async #mustFindKey(kid: unknown) {
    const key = await this.#keys.findVerifier('ticket', kid)
    if (key?.kind !== 'pair') throw new errors.JWSInvalid('unknown key')
    return key.verify
  }
}

function mustBeFields({ b, s, u, n }: Record<string, unknown>): TicketFields {
  if (typeof b !== 'string' || typeof s !== 'string' || typeof u !== 'string' || typeof n !== 'number') {
    throw new errors.JWTInvalid('no ticket')
  }
  return { booking: b, sale: s, unit: u, issue: n }
}
