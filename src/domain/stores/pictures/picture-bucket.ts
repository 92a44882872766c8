import type { S3Client } from '@aws-sdk/client-s3'
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

/** Twenty megabytes, for those alone whose pictures are in a bucket. */
const loadSdk = () => import('@aws-sdk/client-s3')

interface Connection {
  readonly sdk: Awaited<ReturnType<typeof loadSdk>>
  readonly client: S3Client
}

/** Pictures in a bucket of any server that speaks S3. Who we are is found where the SDK looks for it. */
export class PictureBucket implements PictureStorage {
  readonly #options: PictureBucketOptions
  #connection: Promise<Connection> | undefined

  constructor(options: PictureBucketOptions) {
    this.#options = options
  }

  async put(pictureId: string, size: PictureSize, webp: Uint8Array): Promise<void> {
    const { sdk, client } = await this.#connected()
    const command = new sdk.PutObjectCommand({
      ...this.#nameOf(pictureId, size),
      Body: webp,
      ContentType: 'image/webp',
    })
    await client.send(command, { abortSignal: AbortSignal.timeout(answerMs) })
  }

  async get(pictureId: string, size: PictureSize): Promise<Uint8Array | undefined> {
    const { sdk, client } = await this.#connected()
    const abortSignal = AbortSignal.timeout(answerMs)
    try {
      const { Body } = await client.send(new sdk.GetObjectCommand(this.#nameOf(pictureId, size)), {
        abortSignal,
      })
      return await Body?.transformToByteArray()
    } catch (error) {
      if (error instanceof sdk.NoSuchKey) return undefined
      throw error
    }
  }

  async remove(pictureId: string): Promise<void> {
    const { sdk, client } = await this.#connected()
    const abortSignal = AbortSignal.timeout(answerMs)
    await Promise.all(
      pictureSizes.map((size) =>
        client.send(new sdk.DeleteObjectCommand(this.#nameOf(pictureId, size)), { abortSignal }),
      ),
    )
  }

  async close(): Promise<void> {
    const connection = await this.#connection
    connection?.client.destroy()
  }

  #connected(): Promise<Connection> {
    this.#connection ??= this.#connect()
    return this.#connection
  }

  async #connect(): Promise<Connection> {
    const { endpoint, region } = this.#options
    const sdk = await loadSdk()
    const client = new sdk.S3Client({
      region,
      maxAttempts: 3,
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      // Servers other than Amazon's may not know the newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
    return { sdk, client }
  }

  #nameOf(pictureId: string, size: PictureSize): { Bucket: string; Key: string } {
    const { bucket, prefix } = this.#options
    return { Bucket: bucket, Key: `${prefix}${pictureId}.${size}.webp` }
  }
}
