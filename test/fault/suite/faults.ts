import type { Fault } from './fault.ts'
import { linkFaults } from './link-faults.ts'
import { processFaults } from './process-faults.ts'
import { storeFaults } from './store-faults.ts'

/** All that is done to a world, one after another or at once. */
export const faults: readonly Fault[] = [...processFaults, ...storeFaults, ...linkFaults]
