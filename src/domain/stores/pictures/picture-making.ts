import type { Sharp } from 'sharp'
import { Problem } from '../../../errors.ts'
import { pictureErrors } from './picture-errors.ts'
import type { PictureSize } from './picture-storage.ts'

/** A picture as it is kept: anew from its pixels, without place, camera or anything else that came along. */
export interface MadePicture {
  readonly webp: Readonly<Record<PictureSize, Uint8Array>>
  /** Of the large one, in pixels. */
  readonly width: number
  readonly height: number
}

/** The longer side, in pixels. */
const longest: Readonly<Record<PictureSize, number>> = { large: 1600, small: 480 }
/** A file of some kilobytes may unfold to any size: more is not unfolded. */
const pixelsMax = 50_000_000
const formats: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp'])
/** Made at the same time; each takes a thread and, for a moment, some hundred megabytes. */
const atOnce = 2
const waitingMax = 14

/** Makes pictures ready to be shown, a few at a time. */
export class PictureMaking {
  #working = 0
  readonly #waiting: (() => void)[] = []

  /** Throws `not_a_picture`, `pictures_busy`. */
  async make(bytes: Uint8Array): Promise<MadePicture> {
    await this.#turn()
    try {
      return await makePicture(bytes)
    } finally {
      this.#working--
      this.#waiting.shift()?.()
    }
  }

  async #turn(): Promise<void> {
    if (this.#working >= atOnce) {
      if (this.#waiting.length >= waitingMax) {
        throw new Problem(pictureErrors.pictures_busy, { retryAfterSeconds: 2 })
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#working++
  }
}

async function makePicture(bytes: Uint8Array): Promise<MadePicture> {
  // Some thirty megabytes, which a server that is sent no pictures does not need.
  const { default: sharp } = await import('sharp')
  const open: Opener = (source) => sharp(source, reading)
  try {
    await mustBePicture(open(bytes))
    const large = await sized(open(bytes), 'large').toBuffer({ resolveWithObject: true })
    const small = await sized(open(large.data), 'small').toBuffer()
    const { width, height } = large.info
    return { webp: { large: large.data, small }, width, height }
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(pictureErrors.not_a_picture, { cause: error })
  }
}

type Opener = (source: Uint8Array) => Sharp

/** By what is in it, whatever it is called. */
async function mustBePicture(picture: Sharp): Promise<void> {
  const { format, pages = 1 } = await picture.metadata()
  if (!formats.has(format)) throw notTaken(`This is ${format}; only JPEG, PNG and WebP are taken.`)
  if (pages > 1) throw notTaken('Pictures that move are not taken.')
}

function notTaken(detail: string): Problem {
  return new Problem(pictureErrors.not_a_picture, { detail })
}

const reading = { limitInputPixels: pixelsMax, failOn: 'truncated' } as const

/** Turned the right way up, and never made larger than it was. */
function sized(picture: Sharp, size: PictureSize): Sharp {
  const side = longest[size]
  return picture
    .autoOrient()
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: size === 'large' ? 82 : 75 })
}
