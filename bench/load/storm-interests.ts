import { ConnectionError } from '../../src/client/api-error.ts'
import { UnitMap } from '../../src/client/unit-map.ts'
import type { AvailabilityDelta, AvailabilitySnapshot } from '../../src/domain/units/unit-messages.ts'
import type { LiveClient, LiveEvent, LiveListener } from './live-client.ts'
import { SocketClient } from './socket-client.ts'
import type { Interest } from './storm-person.ts'
import { StreamClient } from './stream-client.ts'

interface Connecting {
  readonly port: number
  readonly index: number
  readonly sale: string
  readonly isStream: boolean
}

/** A place in a line. */
export class PlaceInterest implements Interest {
  readonly accountId: string
  readonly #connecting: Connecting & { readonly accessToken: string | undefined }
  /** What was told of the place last; before that, nothing. */
  told: { readonly position: number; readonly atMs: number } | undefined
  /** The same of what was told first since somebody asked. */
  toldFirst: { readonly position: number; readonly atMs: number } | undefined
  readonly admissions = new Set<string>()
  absences = 0

  constructor(accountId: string, connecting: Connecting & { readonly accessToken: string | undefined }) {
    this.accountId = accountId
    this.#connecting = connecting
  }

  open(listener: LiveListener): LiveClient {
    const { sale, isStream, ...target } = this.#connecting
    return isStream
      ? new StreamClient({ ...target, path: `/api/v1/sales/${sale}/queue/stream` }, listener)
      : new SocketClient({ ...target, channel: `queue:${sale}` }, listener)
  }

  hear({ type, data }: LiveEvent, atMs: number): boolean {
    if (type === 'absent') this.absences++
    if (type === 'admitted') this.admissions.add((data as { admittedAt: string }).admittedAt)
    if (type !== 'admitted' && type !== 'position') return false
    // Whoever was let in has nobody in front.
    const position = type === 'position' ? (data as { position: number }).position : 0
    this.told = { position, atMs }
    this.toldFirst ??= this.told
    return true
  }
}

/** A map of seats. */
export class MapInterest implements Interest {
  readonly map = new UnitMap()
  readonly #connecting: Connecting
  /** Whole maps that were told, and deltas, since somebody asked. */
  told = { wholes: 0, deltas: 0 }
  gaps = 0

  constructor(connecting: Connecting) {
    this.#connecting = connecting
  }

  open(listener: LiveListener): LiveClient {
    const { sale, isStream, ...target } = this.#connecting
    const { position } = this.map
    if (!isStream) return new SocketClient({ ...target, channel: `units:${sale}`, since: position }, listener)
    const path = `/api/v1/sales/${sale}/availability/stream`
    return new StreamClient({ ...target, path, lastEventId: position }, listener)
  }

  hear({ type, data, id }: LiveEvent): boolean {
    if (type === 'snapshot') {
      this.told.wholes++
      this.map.replace(data as AvailabilitySnapshot)
    } else if (type === 'delta') {
      this.told.deltas++
      if (this.map.follow(data as AvailabilityDelta, id)) return true
      this.gaps++
      throw new ConnectionError(`${id} does not follow ${this.map.position}`)
    }
    return type === 'snapshot'
  }
}
