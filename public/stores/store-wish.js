/** @import { StoreCategory } from '../../src/domain/stores/store-messages.ts' */

/**
 * What somebody looks for among the stores.
 *
 * @typedef {object} StoreWish
 * @property {string} name part of it
 * @property {string} place part of the address
 * @property {StoreCategory | ''} category
 * @property {'opening' | 'popularity' | 'distance'} sort
 * @property {{ latitude: number, longitude: number } | undefined} near for the order by distance
 * @property {string} from a date, `2026-03-01`, or the empty text
 * @property {string} to
 */

/** @type {StoreWish} */
export const anything = {
  name: '',
  place: '',
  category: '',
  sort: 'opening',
  near: undefined,
  from: '',
  to: '',
}

/** Nobody goes farther to a store; the server looks no farther either. */
const nearMetres = 100_000

/** Whether fewer than all stores are asked for. @param {StoreWish} wish */
export function isNarrowed({ name, place, category, from, to }) {
  return [name, place, category, from, to].some((text) => text.trim() !== '')
}

/** The query of GET /stores. @param {StoreWish} wish */
export function queryOf({ name, place, category, sort, near, from, to }) {
  const isByDistance = sort === 'distance' && near !== undefined
  return new URLSearchParams({
    ...(name.trim() !== '' && { q: name.trim() }),
    ...(place.trim() !== '' && { place: place.trim() }),
    ...(category !== '' && { category }),
    ...(from !== '' && { from: startOf(from) }),
    ...(to !== '' && (from === '' || from <= to) && { to: endOf(to) }),
    ...(isByDistance && {
      near: `${near.latitude.toFixed(5)},${near.longitude.toFixed(5)}`,
      within: String(nearMetres),
    }),
    // Until it is known where somebody is, nothing is near.
    sort: sort === 'distance' && !isByDistance ? 'opening' : sort,
  }).toString()
}

/** Days as they are where the page is read. @param {string} date */
function startOf(date) {
  return new Date(`${date}T00:00:00`).toISOString()
}

/** @param {string} date */
function endOf(date) {
  return new Date(`${date}T23:59:59`).toISOString()
}
