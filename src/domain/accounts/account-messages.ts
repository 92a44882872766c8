import { z } from 'zod'

const userMessage = z.object({ id: z.string(), kind: z.enum(['guest', 'verified']) }).meta({ id: 'User' })

export const guestAnswer = z
  .object({
    accessToken: z.string().describe('To be sent as `Authorization: Bearer …`; never in a URL.'),
    expiresAt: z.iso.datetime({ offset: true }),
    user: userMessage,
  })
  .meta({ id: 'Guest' })

/** As in RFC 7517; only public members. */
export const keySet = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: z.string(),
        y: z.string(),
        kid: z.string(),
        alg: z.literal('ES256'),
        use: z.literal('sig'),
      }),
    ),
  })
  .meta({ id: 'KeySet' })

export type GuestAnswer = z.infer<typeof guestAnswer>
