import { generalErrors, Problem } from '../errors.ts'

/** Where a page of a list ends that is ordered by a whole number, such as a time, and, for equal ones, by an id. */
export interface PageCursor {
  readonly at: number
  readonly id: string
}

function writeCursor({ at, id }: PageCursor): string {
  return Buffer.from(`${at}:${id}`).toString('base64url')
}

/** Throws `invalid_request` for a text that `writeCursor` cannot have made. */
export function readCursor(text: string): PageCursor {
  const [, digits, id] =
    /^(\d{1,15}):([a-z]{3}_[0-9a-z]{20})$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  const at = Number(digits)
  // Beyond this no date exists.
  if (id === undefined || !(at <= 8.64e15)) {
    throw new Problem(generalErrors.invalid_request, {
      errors: [{ field: 'cursor', message: 'must be `next` of another page' }],
    })
  }
  return { at, id }
}

/** One page of rows of which one more than `limit` was read, and the cursor of the next page if there is one. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  place: (row: Row) => PageCursor,
): { items: Row[]; next: string | null } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? writeCursor(place(last)) : null }
}
