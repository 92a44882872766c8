import type { Store } from './store.ts'
import type { StoreItem, StorePicture, StoreView } from './store-messages.ts'

/** What everybody may see of a store; its organiser stays inside. */
export function viewOfStore(store: Store, shown: { pictures: StorePicture[]; html: string }): StoreView {
  return {
    ...itemOfStore(store, shown.pictures),
    description: store.description,
    descriptionHtml: shown.html,
  }
}

/** The same for a list. */
export function itemOfStore(
  store: Omit<Store, 'description'>,
  pictures: StorePicture[],
  distanceMetres?: number,
): StoreItem {
  const { id, name, category, address, latitude, longitude, openingHours, links } = store
  const { maxPerAccount, popularity, status } = store
  return {
    id,
    name,
    category,
    address,
    latitude,
    longitude,
    opensAt: new Date(store.opensAtMs).toISOString(),
    closesAt: new Date(store.closesAtMs).toISOString(),
    openingHours,
    links,
    maxPerAccount,
    popularity,
    status,
    pictures,
    createdAt: new Date(store.createdAtMs).toISOString(),
    ...(distanceMetres === undefined ? {} : { distanceMetres }),
  }
}
