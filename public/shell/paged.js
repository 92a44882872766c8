import { useEffect, useRef, useState } from '/vendor/preact-hooks.js'
import { call } from '../live/calls.js'

/** How often a list is read anew while it is looked at. */
const freshMs = 30_000
/** Not at every letter that is typed. */
const typingMs = 250

/**
 * @template T
 * @typedef {object} Paged
 * @property {readonly T[] | undefined} items so far; undefined before the first answer
 * @property {(() => void) | undefined} more reads the next page, where there is one
 * @property {unknown} problem why the last reading failed
 * @property {() => void} again
 */

/**
 * A list that the server gives page by page, for as long as the same is asked for.
 * @template T
 * @param {string} path with its query, but for the cursor
 * @returns {Paged<T>}
 */
export function usePaged(path) {
  const [page, setPage] = useState(
    /** @type {{ items: readonly T[] | undefined, next: string | null, pages: number }} */ ({
      items: undefined,
      next: null,
      pages: 0,
    }),
  )
  const [problem, setProblem] = useState(/** @type {unknown} */ (undefined))
  const latest = useRef(0)
  const isFirst = useRef(true)
  const read = async (/** @type {string | null} */ cursor) => {
    const turn = ++latest.current
    try {
      /** @type {{ items: readonly T[], next: string | null }} */
      const { items, next } = await call(cursor === null ? path : withCursor(path, cursor))
      if (turn !== latest.current) return
      setProblem(undefined)
      setPage((before) =>
        cursor === null
          ? { items, next, pages: 1 }
          : { items: [...(before.items ?? []), ...items], next, pages: before.pages + 1 },
      )
    } catch (thrown) {
      if (turn === latest.current) setProblem(thrown)
    }
  }
  useEffect(() => {
    const timer = setTimeout(() => void read(null), isFirst.current ? 0 : typingMs)
    isFirst.current = false
    return () => clearTimeout(timer)
  }, [path])
  useEffect(() => {
    // Whoever has asked for more is not taken back to the first page.
    if (page.pages > 1) return
    const timer = setInterval(() => void read(null), freshMs)
    return () => clearInterval(timer)
  }, [path, page.pages > 1])
  const { items, next } = page
  return {
    items,
    problem,
    again: () => void read(null),
    more: next === null ? undefined : () => void read(next),
  }
}

/** @param {string} path @param {string} cursor */
function withCursor(path, cursor) {
  return `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`
}
