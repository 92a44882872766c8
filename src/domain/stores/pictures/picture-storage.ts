export const pictureSizes = ['large', 'small'] as const
export type PictureSize = (typeof pictureSizes)[number]

/** Where the bytes of pictures are kept. A picture never changes: what is put under a name once stays so. */
export interface PictureStorage {
  /** Resolves when the bytes will be found again by every process. */
  put(pictureId: string, size: PictureSize, webp: Uint8Array): Promise<void>
  /** Undefined where there is nothing of that name. */
  get(pictureId: string, size: PictureSize): Promise<Uint8Array | undefined>
  /** Both sizes; removing what is not there is fine. */
  remove(pictureId: string): Promise<void>
}
