import { join } from 'node:path'
import type { Foundation } from './compose-foundation.ts'
import { PictureBucket } from './domain/stores/pictures/picture-bucket.ts'
import { PictureFolder } from './domain/stores/pictures/picture-folder.ts'
import { PictureMaking } from './domain/stores/pictures/picture-making.ts'
import type { PictureStorage } from './domain/stores/pictures/picture-storage.ts'
import { StorePictures } from './domain/stores/pictures/store-pictures.ts'
import { StoreCatalogue } from './domain/stores/store-catalogue.ts'
import type { Ids } from './ids.ts'
import { FreshAnswers } from './server/fresh-answers.ts'
import type { Route } from './server/route.ts'
import { storePictureRoutes } from './server/routes/store-pictures.ts'
import { storeRoutes } from './server/routes/stores.ts'

/** Of pages that are looked at; some thousand pages of stores. */
const answerBytesMax = 16_000_000

/** The pop-up stores and their pictures. */
export function composeStores(base: Foundation): Route[] {
  const { sql, searchSql, clock, ids, log, config, announceSale, changedSales$ } = base
  const stores = new StoreCatalogue({ sql, clock })
  const searches = new FreshAnswers({ clock, bytesMax: answerBytesMax })
  const salesOfStores = new FreshAnswers({ clock, bytesMax: answerBytesMax })
  changedSales$.subscribe(() => salesOfStores.forgetAll())
  const forgetStore = (storeId: string): void => {
    stores.forget(storeId)
    searches.forgetAll()
  }
  const storage = pictureStorage(config, ids)
  const pictures = new StorePictures({ sql, storage, making: new PictureMaking(), ids, log })
  return [
    ...storeRoutes({ sql, searchSql, stores, searches, salesOfStores, forgetStore, announce: announceSale }),
    ...storePictureRoutes({ pictures, forgetStore }),
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
