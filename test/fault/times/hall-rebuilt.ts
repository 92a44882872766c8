import { seedBookings } from '../../../bench/stage/hall-seeding.ts'
import { keepAliveFetch } from '../../../src/crowd/keep-alive-fetch.ts'
import { availabilitySnapshot, type AvailabilitySnapshot } from '../../../src/domain/units/unit-messages.ts'
import type { World } from '../suite/world.ts'
import { clientAt } from './api.ts'
import type { Figure } from './figure.ts'
import { openHall } from './hall.ts'
import { found } from './patience.ts'

const tries = 5
const seats = 50_000
/** Booked, so that there is something to read and to write besides free seats. */
const booked = 25_000

/** How long it takes to build a hall anew, from the loss to the first map of it. */
export async function hallRebuilt(world: World): Promise<Figure[]> {
  const { fetch, close } = keepAliveFetch({ connectionsMax: 4 })
  const organiser = clientAt(world, 0, fetch)
  const sale = await openHall(world, organiser, { seats })
  await seedBookings(world.sql, { sale, firstUnit: 0, count: booked })
  let { epoch } = await mapOf(world, sale, () => true)
  const values: number[] = []
  while (values.length < tries) {
    const before = epoch
    const fromMs = performance.now()
    await world.redis.flushall()
    const map = await mapOf(world, sale, (one) => one.epoch > before)
    values.push(performance.now() - fromMs)
    mustBeWhole(map)
    epoch = map.epoch
  }
  await organiser.changeSale(sale, { status: 'closed' })
  close()
  const what = `${seats.toLocaleString('en')} units, half of them booked, are there again after a loss`
  return [{ what, unit: 'ms', values, goal: { atMost: 2_000 } }]
}

/** The first map that is told and wanted. */
function mapOf(
  world: World,
  sale: string,
  isWanted: (map: AvailabilitySnapshot) => boolean,
): Promise<AvailabilitySnapshot> {
  const url = `${world.edges[0]?.url}/api/v1/sales/${sale}/availability`
  return found('the map of the hall', async () => {
    const answer = await fetch(url)
    const body: unknown = await answer.json()
    const map = answer.ok ? availabilitySnapshot.parse(body) : undefined
    return map !== undefined && isWanted(map) ? map : undefined
  })
}

function mustBeWhole({ seats: packed }: AvailabilitySnapshot): void {
  const bytes = [...Buffer.from(packed, 'base64')]
  const sold = bytes.flatMap((byte) => [0, 2, 4, 6].filter((shift) => ((byte >> shift) & 3) === 2)).length
  if (bytes.length !== seats / 4 || sold !== booked) throw new Error(`${sold} of ${booked} seats are sold`)
}
