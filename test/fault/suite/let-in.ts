import { firstValueFrom, filter, map, takeUntil, fromEvent } from 'rxjs'
import type { OpenrunClient } from '../../../src/client/openrun-client.ts'

/** Joins, and waits for its turn. Resolves with the purchase token; throws when the signal aborts before. */
export async function letIn(client: OpenrunClient, sale: string, signal: AbortSignal): Promise<string> {
  const { ticket } = await client.joinQueue(sale, { signal })
  return await firstValueFrom(
    client.waitInLine({ sale, transport: 'sse', ticket }).pipe(
      filter((event) => event.type === 'admitted'),
      map(({ data }) => data.purchaseToken),
      takeUntil(fromEvent(signal, 'abort')),
    ),
  )
}
