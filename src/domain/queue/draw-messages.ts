import { z } from 'zod'

const hex = z.string().regex(/^[0-9a-f]{64}$/)

/**
 * A draw as everybody sees it: the commitment from the beginning, digest and seed once it has taken place. It shows
 * that the order follows from commitment and entries, not that the commitment is older than the entries.
 */
export const drawView = z
  .object({
    state: z.enum(['entering', 'drawn']),
    commitment: hex.meta({ description: 'SHA-256 of the seed' }),
    entrants: z
      .int()
      .min(0)
      .meta({ description: 'How many have entered; before the draw give or take some seconds' }),
    digest: hex
      .optional()
      .meta({ description: 'SHA-256 over the sorted entry ids, each followed by a line feed' }),
    seed: hex.optional().meta({ description: 'The order is that of HMAC-SHA256(seed, entry id), in hex' }),
    drawnAt: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ id: 'Draw' })
export type DrawView = z.infer<typeof drawView>

export const drawEntriesPage = z
  .object({ items: z.array(z.string()), next: z.string().nullable() })
  .meta({ id: 'DrawEntries', description: 'Entry ids, sorted' })

export type DrawEntriesPage = z.infer<typeof drawEntriesPage>

export const drawEntriesQuery = z.object({
  cursor: z.string().max(64).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
})
