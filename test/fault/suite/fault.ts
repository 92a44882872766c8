import type { World } from './world.ts'

export type Random = () => number

/** What Redis is: one server, a master and a replica that Sentinels watch, or a cluster of three with replicas. */
export type RedisShape = 'one' | 'sentinels' | 'cluster'

/** Something that is done to a world, and undone. What it does depends on `random` alone. */
export interface Fault {
  readonly name: string
  /** It begins when the others of a round are over and some quiet has come, so that nothing but it is judged. */
  readonly alone?: true
  run(world: World, random: Random): Promise<void>
}

/** In milliseconds. */
export const seconds = (from: number, to: number, random: Random): number =>
  1_000 * (from + random() * (to - from))

export function oneOf<T>(all: readonly T[], random: Random): T {
  const one = all[Math.floor(random() * all.length)]
  if (one === undefined) throw new Error('there is nothing to choose from')
  return one
}

export function inGroups<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  )
}
