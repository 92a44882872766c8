/** @import { ChatEntries, ChatEntry, ChatJoined } from '../../src/domain/chat/chat-messages.ts' */

/**
 * What a page knows of a room. Everything that happens in it is an entry, and entries have one order: whoever has them
 * all knows how the room stands.
 *
 * @typedef {object} RoomState
 * @property {boolean} isKnown
 * @property {number} epoch
 * @property {number} seq of the last entry that is known
 * @property {readonly ChatEntry[]} entries oldest first; those before the first were not read
 * @property {number} members
 * @property {ChatJoined['me']} me
 * @property {ChatEntry | null} pinned
 * @property {number} slowSeconds
 * @property {boolean} isClosed
 */

/** @type {RoomState} */
export const unknownRoom = {
  isKnown: false,
  epoch: 0,
  seq: 0,
  entries: [],
  members: 0,
  me: null,
  pinned: null,
  slowSeconds: 0,
  isClosed: false,
}

/** More entries than this a page does not keep: the oldest are read again when they are wanted. */
const entriesMax = 2000

/** Where to go on after a cut. @param {RoomState} state */
export function positionOf({ isKnown, epoch, seq }) {
  return isKnown ? `${epoch}:${seq}` : undefined
}

/** The room as it is told at joining: what was missed, or the newest. @param {RoomState} state @param {ChatJoined} joined @returns {RoomState} */
export function joined(state, { epoch, seq, members, me, entries, gap, pinned, slowSeconds, closed }) {
  const goesOn = state.isKnown && state.epoch === epoch && gap !== true
  const before = goesOn ? state : { ...state, entries: [], seq: 0 }
  const missed = entries.filter((entry) => entry.seq > before.seq)
  const all = missed.reduce(withEntry, before)
  return {
    ...all,
    isKnown: true,
    epoch,
    // What was asked for twice is told twice, and more may have been heard in between.
    seq: Math.max(seq, before.seq),
    members,
    me,
    pinned,
    slowSeconds,
    isClosed: closed,
    entries: all.entries.slice(-entriesMax),
  }
}

/**
 * New entries; undefined where some between them and what is known were missed.
 * @param {RoomState} state @param {ChatEntries} told @returns {RoomState | undefined}
 */
export function heard(state, { prev, seq, entries }) {
  if (!state.isKnown || prev > state.seq) return undefined
  if (seq <= state.seq) return state
  const now = entries.filter((entry) => entry.seq > state.seq).reduce(withEntry, state)
  return { ...now, seq, entries: now.entries.slice(-entriesMax) }
}

/** Whether something was pinned that is not known here. @param {RoomState} state @param {ChatEntries} told */
export function pinsUnknown({ pinned }, { entries }) {
  const last = entries.findLast(({ kind }) => kind === 'pinned')
  return last?.target !== undefined && pinned === null
}

/** A page of what was said before, newest first as it is read. @param {RoomState} state @param {readonly ChatEntry[]} page @returns {RoomState} */
export function withEarlier(state, page) {
  const first = state.entries[0]?.seq ?? Infinity
  const earlier = page.filter((entry) => entry.seq < first).toReversed()
  return { ...state, entries: [...earlier, ...state.entries] }
}

/** What is to be seen of the entries: what was done to another entry is seen there. @param {RoomState} state */
export function shownEntries({ entries }) {
  return entries.filter(({ kind }) => kind !== 'deleted' && kind !== 'pinned')
}

/** @param {RoomState} state @param {ChatEntry} entry @returns {RoomState} */
function withEntry(state, entry) {
  const now = { ...state, entries: [...state.entries, entry] }
  switch (entry.kind) {
    case 'deleted':
      return withoutText(now, entry.target)
    case 'pinned':
      return { ...now, pinned: now.entries.find(({ seq }) => seq === entry.target) ?? null }
    case 'slow':
      return { ...now, slowSeconds: entry.seconds ?? 0 }
    case 'closed':
      return { ...now, isClosed: true }
    case 'opened':
      return { ...now, isClosed: false }
    default:
      return now
  }
}

/** @param {RoomState} state @param {number | undefined} target @returns {RoomState} */
function withoutText(state, target) {
  const entries = state.entries.map((entry) =>
    entry.seq === target ? { ...entry, text: '', deleted: /** @type {const} */ (true) } : entry,
  )
  return { ...state, entries, pinned: state.pinned?.seq === target ? null : state.pinned }
}
