import type { Fault, RedisShape } from './fault.ts'
import { linkFaults } from './link-faults.ts'
import { processFaults } from './process-faults.ts'
import { clusterFaults, sentinelFaults } from './several-faults.ts'
import { storeFaults } from './store-faults.ts'

/** All that is done to a world with one Redis. */
export const faults: readonly Fault[] = [...processFaults, ...storeFaults, ...linkFaults]

/** What does not ask for one Redis behind links of ours. */
const anywhere = faults.filter(({ name }) =>
  [
    'the writer is killed',
    'an edge is killed',
    'the writer sleeps past its lease',
    'PostgreSQL is killed',
    'answers of PostgreSQL are lost, commits among them',
  ].includes(name),
)

/** What is done to a world, by what Redis is there; behind what is its own comes what meets it. */
export const faultsOf: Readonly<Record<RedisShape, { own: readonly Fault[]; meets: readonly Fault[] }>> = {
  one: { own: faults, meets: [] },
  sentinels: { own: sentinelFaults, meets: anywhere },
  cluster: { own: clusterFaults, meets: anywhere },
}
