import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ids } from '../../../ids.ts'
import { pictureSizes, type PictureSize, type PictureStorage } from './picture-storage.ts'

/** Pictures in a folder of this machine. Processes that share it share the pictures. */
export class PictureFolder implements PictureStorage {
  readonly #folder: string
  readonly #ids: Ids

  constructor(folder: string, ids: Ids) {
    this.#folder = folder
    this.#ids = ids
  }

  /** Written beside and moved to its place: nobody ever reads half a picture. */
  async put(pictureId: string, size: PictureSize, webp: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const beside = join(this.#folder, `${this.#ids.next('pic')}.part`)
    await writeFile(beside, webp, { flush: true })
    await rename(beside, this.#fileOf(pictureId, size))
  }

  async get(pictureId: string, size: PictureSize): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#fileOf(pictureId, size))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  async remove(pictureId: string): Promise<void> {
    await Promise.all(pictureSizes.map((size) => rm(this.#fileOf(pictureId, size), { force: true })))
  }

  #fileOf(pictureId: string, size: PictureSize): string {
    return join(this.#folder, `${pictureId}.${size}.webp`)
  }
}
