import { signal } from '/vendor/signals.js'
import { call } from '../live/calls.js'

/** @import { CallOptions } from '../live/calls.js' */

/** The organiser's key, in this tab only: a page that is left open on a stage shows no secret to the next one. */
export const deskKey = signal(sessionStorage.getItem('openrun.desk-key') ?? '')

/** @param {string} key the empty text forgets it */
export function keepDeskKey(key) {
  deskKey.value = key
  if (key === '') sessionStorage.removeItem('openrun.desk-key')
  else sessionStorage.setItem('openrun.desk-key', key)
}

export function deskHeaders() {
  return { authorization: `Bearer ${deskKey.value}` }
}

/** Asks in the name of the organiser. @template T @param {string} path @param {CallOptions} [options] @returns {Promise<T>} */
export function deskCall(path, options = {}) {
  return call(path, { ...options, headers: { ...options.headers, ...deskHeaders() } })
}
