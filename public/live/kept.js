/**
 * What this browser keeps for us, as JSON by name. A browser that keeps nothing (it may be told so) costs memory over
 * a reload, and nothing else.
 */

/** @type {Map<string, string>} */
const inMemory = new Map()

/** @param {string} name @returns {unknown} undefined when nothing is kept */
export function kept(name) {
  try {
    const text = globalThis.localStorage?.getItem(prefix + name) ?? inMemory.get(name)
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @param {string} name @param {unknown} value undefined forgets it */
export function keep(name, value) {
  try {
    if (value === undefined) inMemory.delete(name)
    else inMemory.set(name, JSON.stringify(value))
    if (value === undefined) globalThis.localStorage?.removeItem(prefix + name)
    else globalThis.localStorage?.setItem(prefix + name, JSON.stringify(value))
  } catch {
    // Full, or forbidden: it is in memory.
  }
}

const prefix = 'openrun.'
