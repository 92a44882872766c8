import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { pictureSizes, type PictureSize, type PictureStorage } from './picture-storage.ts'

export interface PictureBucketOptions {
  readonly bucket: string
  /** Put before every name, such as `pictures/`; may be empty. */
  readonly prefix: string
  /** Of a server that is not Amazon's; its buckets are then named in the path. */
  readonly endpoint?: string | undefined
  readonly region: string
}

/** An answer that takes longer is given up. */
const answerMs = 10_000

/** Pictures in a bucket of any server that speaks S3. Who we are is found where the SDK looks for it. */
export class PictureBucket implements PictureStorage {
  readonly #client: S3Client
  readonly #options: PictureBucketOptions

  constructor(options: PictureBucketOptions) {
    const { endpoint, region } = options
    this.#options = options
    this.#client = new S3Client({
      region,
      maxAttempts: 3,
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      // Servers other than Amazon's may not know the newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  }

  async put(pictureId: string, size: PictureSize, webp: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({
      ...this.#nameOf(pictureId, size),
      Body: webp,
      ContentType: 'image/webp',
    })
    await this.#client.send(command, { abortSignal: AbortSignal.timeout(answerMs) })
  }

  async get(pictureId: string, size: PictureSize): Promise<Uint8Array | undefined> {
    const abortSignal = AbortSignal.timeout(answerMs)
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#nameOf(pictureId, size)), {
        abortSignal,
      })
      return await Body?.transformToByteArray()
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined
      throw error
    }
  }

  async remove(pictureId: string): Promise<void> {
    const abortSignal = AbortSignal.timeout(answerMs)
    await Promise.all(
      pictureSizes.map((size) =>
        this.#client.send(new DeleteObjectCommand(this.#nameOf(pictureId, size)), { abortSignal }),
      ),
    )
  }

  close(): void {
    this.#client.destroy()
  }

  #nameOf(pictureId: string, size: PictureSize): { Bucket: string; Key: string } {
    const { bucket, prefix } = this.#options
    return { Bucket: bucket, Key: `${prefix}${pictureId}.${size}.webp` }
  }
}
