import type { Sql, TransactionSql } from '../../../db/postgres.ts'
import { transaction } from '../../../db/transaction.ts'
import { generalErrors, Problem } from '../../../errors.ts'
import type { Ids } from '../../../ids.ts'
import type { Log } from '../../../log.ts'
import { storeErrors } from '../store-errors.ts'
import { isStoreId, type StorePicture } from '../store-messages.ts'
import { pictureErrors } from './picture-errors.ts'
import type { PictureMaking } from './picture-making.ts'
import { pictureSizes, type PictureSize, type PictureStorage } from './picture-storage.ts'
import { picturePaths } from './picture-paths.ts'

export interface StorePicturesOptions {
  readonly sql: Sql
  readonly storage: PictureStorage
  readonly making: PictureMaking
  readonly ids: Ids
  readonly log: Log
}

/** Of one store. */
const picturesMax = 10
const pictureIdShape = /^pic_[0-9a-z]{20}$/

/**
 * The pictures of stores. Bytes come first and the row last, and they go the other way round: a row without its bytes is
 * never seen, bytes without a row harm nobody.
 */
export class StorePictures {
  readonly #options: StorePicturesOptions

  constructor(options: StorePicturesOptions) {
    this.#options = options
  }

  /** Adds a picture behind the others. Throws `no_such_store`, `forbidden`, `not_a_picture`, `too_many_pictures`. */
  async add(asked: {
    storeId: string
    organiserId: string
    alt: string
    bytes: Uint8Array
  }): Promise<StorePicture> {
    const { sql, storage, making, ids } = this.#options
    const { storeId, organiserId, alt } = asked
    // Before the work; who owns it cannot change, and how many there are is looked at once more.
    await transaction(sql, (tx) => this.#mustHaveRoom(tx, { storeId, organiserId }))
    const { webp, width, height } = await making.make(asked.bytes)
    const id = ids.next('pic')
    await Promise.all(pictureSizes.map((size) => storage.put(id, size, webp[size])))
    try {
      await transaction(sql, async (tx) => {
        const position = await this.#mustHaveRoom(tx, { storeId, organiserId })
        await tx`
          insert into store_pictures (id, store_id, position, alt, width, height)
          values (${id}, ${storeId}, ${position}, ${alt}, ${width}, ${height})`
      })
    } catch (error) {
      // Of a cut at the commit it is not known whether the row is there: then the bytes stay.
      if (error instanceof Problem) await this.#forget(id)
      throw error
    }
    return { id, alt, width, height, urls: picturePaths(id) }
  }

  /** Throws `no_such_picture`, `no_such_store`, `forbidden`. */
  async remove({
    storeId,
    organiserId,
    pictureId,
  }: {
    storeId: string
    organiserId: string
    pictureId: string
  }): Promise<void> {
    const { sql } = this.#options
    await transaction(sql, async (tx) => {
      await mustBeOwn(tx, { storeId, organiserId })
      const gone = await tx`delete from store_pictures where id = ${pictureId} and store_id = ${storeId}`
      if (gone.count === 0) throw new Problem(pictureErrors.no_such_picture)
    })
    await this.#forget(pictureId)
  }

  /** The bytes as WebP. Throws `no_such_picture`. */
  async read(pictureId: string, size: PictureSize): Promise<Uint8Array> {
    const webp = pictureIdShape.test(pictureId) ? await this.#options.storage.get(pictureId, size) : undefined
    if (webp === undefined) throw new Problem(pictureErrors.no_such_picture)
    return webp
  }

  /** @returns the position of the next one */
  async #mustHaveRoom(tx: TransactionSql, which: { storeId: string; organiserId: string }): Promise<number> {
    await mustBeOwn(tx, which)
    const [row] = await tx<{ count: number; next: number }[]>`
      select count(*)::int as count, coalesce(max(position), 0)::int + 1 as next
      from store_pictures where store_id = ${which.storeId}`
    if ((row?.count ?? 0) >= picturesMax) {
      throw new Problem(pictureErrors.too_many_pictures, {
        detail: `A store has ${picturesMax} at the most.`,
      })
    }
    return row?.next ?? 1
  }

  async #forget(pictureId: string): Promise<void> {
    const { storage, log } = this.#options
    await storage.remove(pictureId).catch((err: unknown) => {
      log.warn({ err, picture: pictureId }, 'the bytes of a picture that is shown nowhere are left')
    })
  }
}

/** Its row is locked, so that two pictures at once do not both become the last one. */
async function mustBeOwn(
  tx: TransactionSql,
  { storeId, organiserId }: { storeId: string; organiserId: string },
): Promise<void> {
  const [store] = isStoreId(storeId)
    ? await tx<{ organiserId: string }[]>`
        select organiser_id as "organiserId" from stores where id = ${storeId} for no key update`
    : []
  if (store === undefined) throw new Problem(storeErrors.no_such_store)
  if (store.organiserId !== organiserId) throw new Problem(generalErrors.forbidden)
}
