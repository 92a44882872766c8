import { servePools } from './pool-server.ts'

/*
 * The design of the textbooks: the pool's row is locked, its count looked at, the place inserted and the count raised,
 * all in one transaction. Everybody who wants the same pool waits for the commit of whoever is before them.
 */

interface Pool {
  readonly capacity: number
  readonly given: number
}

servePools(({ sql }) => ({
  take: (poolId, account) =>
    sql.begin(async (tx) => {
      const [pool] = await tx<Pool[]>`select capacity, given from pools where id = ${poolId} for update`
      if (pool === undefined || pool.given >= pool.capacity) return 'sold_out'
      const [coupon] = await tx`
        insert into coupons (pool_id, no, account_id) values (${poolId}, ${pool.given + 1}, ${account})
        on conflict (pool_id, account_id) do nothing returning no`
      if (coupon === undefined) return 'already_has_one'
      await tx`update pools set given = given + 1 where id = ${poolId}`
      return pool.given + 1
    }),
}))
