/**
 * What this browser keeps for us, as JSON by name. A browser that keeps nothing (it may be told so) costs memory over
 * a reload, and nothing else.
 */

/** What could not be kept. @type {Map<string, string>} */
const inMemory = new Map()

/** @param {string} name @returns {unknown} undefined when nothing is kept */
export function kept(name) {
  const text = stored(name) ?? inMemory.get(name)
  return text === undefined ? undefined : JSON.parse(text)
}

/** @param {string} name @param {unknown} value undefined forgets it */
export function keep(name, value) {
  inMemory.delete(name)
  try {
    if (value === undefined) localStorage.removeItem(prefix + name)
    else localStorage.setItem(prefix + name, JSON.stringify(value))
  } catch {
    // Full, or forbidden.
    if (value !== undefined) inMemory.set(name, JSON.stringify(value))
  }
}

/** @param {string} name */
function stored(name) {
  try {
    return localStorage.getItem(prefix + name) ?? undefined
  } catch {
    return undefined
  }
}

const prefix = 'openrun.'
