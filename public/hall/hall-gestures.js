/** @import { Spot } from './hall-view.js' */

/** A finger that moves less than this has tapped, in CSS pixels. */
const tapReach = 9
/** Two taps within this time are one double tap. */
const doubleTapMs = 300

/**
 * @typedef {object} Gestures
 * @property {(dx: number, dy: number) => void} onMove
 * @property {(factor: number, spot: Spot) => void} onZoom
 * @property {(spot: Spot, how: { isDouble: boolean, isMouse: boolean }) => void} onTap
 * @property {(spot: Spot | undefined) => void} onPoint a mouse is there, or no more
 */

/** Reads what fingers, mouse and wheel do on an element: drag, pinch, tap, double tap, wheel. */
export class HallGestures {
  #element
  #gestures
  /** Where each pointer is that is down. @type {Map<number, Spot>} */
  #down = new Map()
  /** Where the first one went down, until it has moved. @type {Spot | undefined} */
  #began
  #lastTapMs = -Infinity
  #over = new AbortController()

  /** @param {HTMLElement} element @param {Gestures} gestures */
  constructor(element, gestures) {
    this.#element = element
    this.#gestures = gestures
    const options = { signal: this.#over.signal }
    element.addEventListener('pointerdown', (event) => this.#pressed(event), options)
    element.addEventListener('pointermove', (event) => this.#moved(event), options)
    element.addEventListener('pointerup', (event) => this.#raised(event), options)
    element.addEventListener('pointercancel', (event) => this.#raised(event), options)
    element.addEventListener('pointerleave', () => gestures.onPoint(undefined), options)
    element.addEventListener('wheel', (event) => this.#wheeled(event), { ...options, passive: false })
  }

  end() {
    this.#over.abort()
  }

  /** @param {PointerEvent} event */
  #pressed(event) {
    if (event.pointerType === 'mouse' && event.button !== 0) return
    this.#element.setPointerCapture(event.pointerId)
    this.#down.set(event.pointerId, this.#spotOf(event))
    this.#began = this.#down.size === 1 ? this.#spotOf(event) : undefined
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    const spot = this.#spotOf(event)
    const before = this.#down.get(event.pointerId)
    if (before === undefined) {
      if (event.pointerType === 'mouse') this.#gestures.onPoint(spot)
      return
    }
    if (this.#down.size === 1) {
      if (this.#began !== undefined && distance(this.#began, spot) < tapReach) return
      const from = this.#began ?? before
      this.#began = undefined
      this.#gestures.onMove(spot.x - from.x, spot.y - from.y)
    } else if (this.#down.size === 2) {
      const other = [...this.#down].find(([id]) => id !== event.pointerId)?.[1] ?? before
      const [middle, was] = [between(spot, other), between(before, other)]
      this.#gestures.onMove(middle.x - was.x, middle.y - was.y)
      this.#gestures.onZoom(distance(spot, other) / Math.max(1, distance(before, other)), middle)
    }
    this.#down.set(event.pointerId, spot)
  }

  /** @param {PointerEvent} event */
  #raised({ pointerId, pointerType, type, timeStamp }) {
    const began = this.#began
    if (!this.#down.delete(pointerId) || began === undefined || type === 'pointercancel') return
    const isDouble = timeStamp - this.#lastTapMs < doubleTapMs
    this.#lastTapMs = isDouble ? -Infinity : timeStamp
    this.#began = undefined
    this.#gestures.onTap(began, { isDouble, isMouse: pointerType === 'mouse' })
  }

  /** @param {WheelEvent} event */
  #wheeled(event) {
    event.preventDefault()
    // Lines or pixels, a notch of a mouse or the stream of a touchpad: about the same way.
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 24 : event.deltaY
    this.#gestures.onZoom(Math.exp(-Math.min(Math.max(pixels, -240), 240) / 320), this.#spotOf(event))
  }

  /** @param {MouseEvent} event @returns {Spot} */
  #spotOf({ clientX, clientY }) {
    const { left, top } = this.#element.getBoundingClientRect()
    return { x: clientX - left, y: clientY - top }
  }
}

/** @param {Spot} a @param {Spot} b */
function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y)
}

/** @param {Spot} a @param {Spot} b @returns {Spot} */
function between(a, b) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
}
