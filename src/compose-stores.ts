import { join } from 'node:path'
import type { Foundation } from './compose-foundation.ts'
import { readRowChanges, RowChanges } from './db/row-changes.ts'
import { FreshReads } from './domain/fresh-reads.ts'
import { PictureBucket } from './domain/stores/pictures/picture-bucket.ts'
import { PictureFolder } from './domain/stores/pictures/picture-folder.ts'
import { PictureMaking } from './domain/stores/pictures/picture-making.ts'
import type { PictureStorage } from './domain/stores/pictures/picture-storage.ts'
import { StorePictures } from './domain/stores/pictures/store-pictures.ts'
import { StoreCatalogue } from './domain/stores/store-catalogue.ts'
import type { Ids } from './ids.ts'
import type { EncodedAnswer } from './server/encoded-answers.ts'
import type { Route } from './server/route.ts'
import { storePictureRoutes } from './server/routes/store-pictures.ts'
import { storeRoutes } from './server/routes/stores.ts'

/** Of pages that are looked at; some thousand pages of stores. */
const answerBytesMax = 16_000_000

/** The pop-up stores and their pictures. */
export function composeStores(base: Foundation): Route[] {
  const { sql, searchSql, clock, ids, log, config, announceSale, changedSales$ } = base
  const changes = new RowChanges({ read: () => readRowChanges(sql), clock })
  const storeChanged = (): void => changes.lookAgain()
  changedSales$.subscribe(() => changes.lookAgain())
  const answers = { changes, weightMax: answerBytesMax, weigh: ({ body }: EncodedAnswer) => body.byteLength }
  const stores = new StoreCatalogue({ sql, changes })
  const searches = new FreshReads({ ...answers, subject: 'stores' })
  const salesOfStores = new FreshReads({ ...answers, subject: 'sales' })
  const storage = pictureStorage(config, ids)
  const pictures = new StorePictures({ sql, storage, making: new PictureMaking(), ids, log })
  return [
    ...storeRoutes({ sql, searchSql, stores, searches, salesOfStores, storeChanged, announce: announceSale }),
    ...storePictureRoutes({ pictures, storeChanged }),
  ]
}

function pictureStorage(config: Foundation['config'], ids: Ids): PictureStorage {
  const { pictures, picturesServer, picturesRegion, dataDir } = config
  if (pictures === undefined) return new PictureFolder(join(dataDir, 'pictures'), ids)
  const { host, pathname } = new URL(pictures)
  const path = pathname.replaceAll(/^\/+|\/+$/g, '')
  const prefix = path === '' ? '' : `${path}/`
  return new PictureBucket({ bucket: host, prefix, endpoint: picturesServer, region: picturesRegion })
}
