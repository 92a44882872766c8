/** @import { StoreView } from '../../src/domain/stores/store-messages.ts' */

/** A store's hours and links as an organiser types them: a line each. What makes no sense is left for the server to name. */

/** `1-5 11:00-20:00` or `6,7 10:00-21:00`: days, Monday is 1, then from and to. @param {string} text */
export function hoursOfLines(text) {
  return linesOf(text).map((line) => {
    const [days = '', hours = ''] = line.split(/\s+/, 2)
    const [from = '', to = ''] = hours.split(/[-–]/)
    return { days: days.split(',').flatMap(daysOf), from, to }
  })
}

/** @param {StoreView['openingHours']} hours */
export function linesOfHours(hours) {
  return hours.map(({ days, from, to }) => `${days.join(',')} ${from}-${to}`).join('\n')
}

/** `2026-12-24 10:00,11:00 5`: a date, its hours, its places in each; one of the two may be left out. @param {string} text */
export function exceptionsOfLines(text) {
  return linesOf(text).map((line) => {
    const [date = '', ...rest] = line.split(/\s+/)
    const hours = rest.filter((word) => word.includes(':')).flatMap((word) => word.split(',').filter(Boolean))
    const places = rest.find((word) => !word.includes(':'))
    return {
      date,
      ...(hours.length > 0 && { hours }),
      ...(places !== undefined && { capacity: Number(places) }),
    }
  })
}

/** `What it is called https://…`. @param {string} text */
export function linksOfLines(text) {
  return linesOf(text).map((line) => {
    const at = line.search(/\S+$/)
    const url = line.slice(at)
    return { label: line.slice(0, at).trim() || url, url }
  })
}

/** @param {StoreView['links']} links */
export function linesOfLinks(links) {
  return links.map(({ label, url }) => `${label} ${url}`).join('\n')
}

/** As a field for a date and a time wants it, where the organiser is. @param {string | undefined} time */
export function localTime(time) {
  if (time === undefined) return ''
  const date = new Date(time)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** @param {string} text */
function linesOf(text) {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** `3` or `1-5`. @param {string} text */
function daysOf(text) {
  const [first = NaN, last = first] = text.split(/[-–]/).map(Number)
  const count = Math.min(7, Math.max(1, last - first + 1 || 1))
  return Array.from({ length: count }, (_, index) => first + index)
}

/** What stands in the fields of a form, by their names. @param {FormData} form */
export function textsOf(form) {
  return (/** @type {string} */ name) => {
    const value = form.get(name)
    return typeof value === 'string' ? value.trim() : ''
  }
}
