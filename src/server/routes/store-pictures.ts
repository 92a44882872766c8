import { z } from 'zod'
import { plainText } from '../../domain/sales/sale-layout-messages.ts'
import { pictureErrors } from '../../domain/stores/pictures/picture-errors.ts'
import { pictureSizes, type PictureSize } from '../../domain/stores/pictures/picture-storage.ts'
import type { StorePictures } from '../../domain/stores/pictures/store-pictures.ts'
import { storeErrors } from '../../domain/stores/store-errors.ts'
import { storePicture } from '../../domain/stores/store-messages.ts'
import { generalErrors } from '../../errors.ts'
import { defineRoute, type Route } from '../route.ts'

export interface StorePictureRoutesParts {
  readonly pictures: StorePictures
  /** A store changed: it is told of without what was known before. */
  readonly storeChanged: () => void
}

const tag = 'Stores'
const bytesMax = 5 * 1024 * 1024
const store = z.string().describe('Id of a store, `sto_…`.')

export function storePictureRoutes(parts: StorePictureRoutesParts): Route[] {
  return [addRoute(parts), removeRoute(parts), ...pictureSizes.map((size) => readRoute(parts, size))]
}

const addRoute = ({ pictures, storeChanged }: StorePictureRoutesParts) =>
  defineRoute({
    method: 'POST',
    path: '/api/v1/stores/{store}/pictures',
    summary: 'Add a picture to a store',
    description:
      'The body is the file itself, at most 5 MB. It is made anew in two sizes, without the place, the camera and whatever else came along.',
    tag,
    auth: 'organiser',
    params: z.object({ store }),
    query: z.object({ alt: plainText(200).describe('What is to be seen, for whoever cannot see it.') }),
    body: z.instanceof(Uint8Array),
    bodyTypes: ['image/jpeg', 'image/png', 'image/webp'],
    bodyBytesMax: bytesMax,
    responses: { 201: { description: 'The picture, the last of the store', schema: storePicture } },
    errors: [
      generalErrors.invalid_request,
      generalErrors.forbidden,
      storeErrors.no_such_store,
      pictureErrors.not_a_picture,
      pictureErrors.too_many_pictures,
      pictureErrors.pictures_busy,
    ],
    async handle({ params, query: { alt }, body, caller: { organiserId } }) {
      const picture = await pictures.add({ storeId: params.store, organiserId, alt, bytes: body })
      storeChanged()
      return { status: 201, body: picture }
    },
  })

const removeRoute = ({ pictures, storeChanged }: StorePictureRoutesParts) =>
  defineRoute({
    method: 'DELETE',
    path: '/api/v1/stores/{store}/pictures/{picture}',
    summary: 'Remove a picture of a store',
    tag,
    auth: 'organiser',
    params: z.object({ store, picture: z.string().describe('Id of a picture, `pic_…`.') }),
    responses: { 204: { description: 'It is gone' } },
    errors: [generalErrors.forbidden, storeErrors.no_such_store, pictureErrors.no_such_picture],
    async handle({ params, caller: { organiserId } }) {
      await pictures.remove({ storeId: params.store, organiserId, pictureId: params.picture })
      storeChanged()
      return { status: 204 }
    },
  })

const readRoute = ({ pictures }: StorePictureRoutesParts, size: PictureSize) =>
  defineRoute({
    method: 'GET',
    path: `/api/v1/pictures/{picture}/${size}.webp`,
    summary: `A picture, ${size}`,
    tag,
    auth: 'nobody',
    params: z.object({ picture: z.string().describe('Id of a picture, `pic_…`.') }),
    responses: {
      200: { description: 'The picture; it never changes', contentType: 'image/webp' },
      304: { description: 'As you have it' },
    },
    errors: [pictureErrors.no_such_picture],
    async handle({ params: { picture } }) {
      return {
        status: 200,
        body: await pictures.read(picture, size),
        contentType: 'image/webp',
        headers: { 'cache-control': 'public, max-age=31536000, immutable', etag: `"${picture}.${size}"` },
      }
    },
  })
