/** @import { Rect } from './hall-seats.js' */

/** What of a hall is seen, and how large: a point (x, y) of it is drawn at ((x − left) · scale, (y − top) · scale). */
/** @typedef {{ left: number, top: number, scale: number }} HallView */
/** @typedef {{ width: number, height: number }} Size in CSS pixels */
/** @typedef {{ x: number, y: number }} Spot in CSS pixels, from the upper left corner of the canvas */

/** A seat is never drawn larger, in CSS pixels. */
const scaleMax = 44
/** Seats from this size on are drawn one by one; below it sections are. */
export const seatScaleMin = 4
/** A seat can be hit with a finger from this size on. */
export const touchScale = 24
/** Part of the canvas that stays empty around the whole hall. */
const air = 0.04

/**
 * The whole hall in the middle.
 * @param {Rect} bounds
 * @param {Size} size
 * @returns {HallView}
 */
export function fitted(bounds, size) {
  const [width, height] = [bounds.right - bounds.left, bounds.bottom - bounds.top]
  const room = 1 - 2 * air
  const scale = Math.min((size.width * room) / width, (size.height * room) / height, scaleMax)
  return {
    left: (bounds.left + bounds.right - size.width / scale) / 2,
    top: (bounds.top + bounds.bottom - size.height / scale) / 2,
    scale,
  }
}

/**
 * Larger or smaller around a spot, which stays where it is; never smaller than the whole hall.
 * @param {HallView} view
 * @param {{ factor: number, spot: Spot, bounds: Rect, size: Size }} change
 * @returns {HallView}
 */
export function zoomed(view, { factor, spot, bounds, size }) {
  const whole = fitted(bounds, size)
  const scale = Math.min(Math.max(view.scale * factor, whole.scale), Math.max(scaleMax, whole.scale))
  const { x, y } = toHall(view, spot)
  return kept({ left: x - spot.x / scale, top: y - spot.y / scale, scale }, { bounds, size })
}

/**
 * @param {HallView} view
 * @param {{ dx: number, dy: number, bounds: Rect, size: Size }} change in CSS pixels
 * @returns {HallView}
 */
export function moved(view, { dx, dy, bounds, size }) {
  const { left, top, scale } = view
  return kept({ left: left - dx / scale, top: top - dy / scale, scale }, { bounds, size })
}

/**
 * Large enough to choose single seats, with this part of the hall in the middle.
 * @param {Rect} part
 * @param {{ bounds: Rect, size: Size }} within
 * @returns {HallView}
 */
export function closeTo(part, { bounds, size }) {
  const whole = fitted(part, size)
  const scale = Math.min(Math.max(whole.scale, touchScale), scaleMax)
  const left = (part.left + part.right - size.width / scale) / 2
  const top = (part.top + part.bottom - size.height / scale) / 2
  return kept({ left, top, scale }, { bounds, size })
}

/**
 * @param {HallView} view
 * @param {Spot} spot
 */
export function toHall(view, { x, y }) {
  return { x: view.left + x / view.scale, y: view.top + y / view.scale }
}

/**
 * @param {HallView} view
 * @param {{ x: number, y: number }} point
 * @returns {Spot}
 */
export function toCanvas(view, { x, y }) {
  return { x: (x - view.left) * view.scale, y: (y - view.top) * view.scale }
}

/**
 * @param {HallView} view
 * @param {Size} size
 * @returns {Rect}
 */
export function seenOf(view, { width, height }) {
  const { left, top, scale } = view
  return { left, top, right: left + width / scale, bottom: top + height / scale }
}

/**
 * The middle of the canvas never leaves the hall, so that nobody gets lost beside it.
 * @param {HallView} view
 * @param {{ bounds: Rect, size: Size }} within
 * @returns {HallView}
 */
function kept({ left, top, scale }, { bounds, size }) {
  const [halfWidth, halfHeight] = [size.width / scale / 2, size.height / scale / 2]
  return {
    left: Math.min(Math.max(left, bounds.left - halfWidth), bounds.right - halfWidth),
    top: Math.min(Math.max(top, bounds.top - halfHeight), bounds.bottom - halfHeight),
    scale,
  }
}
