import type { OpenrunClient } from '../../../src/client/openrun-client.ts'
import type { World } from '../suite/world.ts'
import { openNow } from './api.ts'
import { found } from './patience.ts'

const seatsOfSection = 5_000

/** Makes a sale of so many free seats, in thousands of five; resolves with its id when its map is told. */
export async function openHall(
  world: World,
  organiser: OpenrunClient,
  { seats }: { seats: number },
): Promise<string> {
  const { id } = await organiser.createSale({
    kind: 'seats',
    title: 'A great hall',
    currency: 'KRW',
    ...openNow(),
    hall: {
      priceClasses: [{ name: 'R', priceMinor: 0 }],
      sections: Array.from({ length: seats / seatsOfSection }, (_, index) => {
        return { code: String.fromCodePoint(65 + index), rows: 50, seatsPerRow: 100, priceClass: 'R' }
      }),
    },
  })
  const map = `${world.edges[0]?.url}/api/v1/sales/${id}/availability`
  await found('a map of the hall', async () => (await fetch(map)).ok || undefined)
  return id
}
