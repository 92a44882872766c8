import { hallColors } from './hall-colors.js'
import { HallGestures } from './hall-gestures.js'
import { withStage } from './hall-ground.js'
import { HallPainter } from './hall-painter.js'
import { SeatMarks } from './seat-look.js'
import { closeTo, fitted, moved, seatScaleMin, toCanvas, toHall, touchScale, zoomed } from './hall-view.js'

/** @import { FreeSeats } from './free-seats.js' */
/** @import { HallSeats, HallSection } from './hall-seats.js' */
/** @import { HallView, Spot } from './hall-view.js' */
/** @import { SeatGrid } from './seat-grid.js' */
/** @import { SeatLook } from './seat-look.js' */

/** More device pixels than this nobody sees, and everybody waits for. */
const densityMax = 2.5
/** A mouse hits seats of this size, in CSS pixels. */
const mouseScale = 9

/**
 * @typedef {object} HallCanvasOptions
 * @property {HallSeats} seats
 * @property {SeatGrid} grid
 * @property {Uint8Array} states
 * @property {FreeSeats} free
 * @property {string} stage
 * @property {(section: HallSection, free: number) => string} freeText
 * @property {(unitNo: number) => void} onSeat it was tapped
 * @property {(unitNo: number | undefined, spot: Spot) => void} onPoint a mouse points at it, or at nothing
 */

/** The hall on a canvas: what is seen of it, and what is tapped. */
export class HallCanvas {
  #canvas
  #options
  #grid
  #marks
  #painter
  #bounds
  /** @type {HallView | undefined} */
  #view
  #isWhole = true
  /** @type {number | undefined} */
  #pointedAt
  #endings

  /** @param {HTMLCanvasElement} canvas @param {HallCanvasOptions} options */
  constructor(canvas, options) {
    const { seats, grid, states, free } = options
    this.#canvas = canvas
    this.#options = options
    this.#grid = grid
    this.#marks = new SeatMarks(seats, states)
    this.#bounds = withStage(seats.bounds)
    this.#painter = new HallPainter(canvas, {
      seats,
      grid,
      free,
      marks: this.#marks,
      colors: this.#colors(),
    })
    const resizing = new ResizeObserver(() => this.#resized())
    resizing.observe(canvas)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const recolor = () => this.#painter.repaintAll(this.#colors())
    dark.addEventListener('change', recolor)
    const gestures = new HallGestures(canvas, {
      onMove: (dx, dy) => this.#move(dx, dy),
      onZoom: (factor, spot) => this.#zoom(factor, spot),
      onTap: (spot, how) => this.#tap(spot, how),
      onPoint: (spot) => this.#point(spot),
    })
    this.#endings = [
      () => resizing.disconnect(),
      () => dark.removeEventListener('change', recolor),
      () => gestures.end(),
    ]
  }

  /** @param {readonly number[] | 'all'} units whose state has changed */
  changed(units) {
    if (units === 'all') this.#painter.repaintAll()
    else this.#painter.repaint(units)
  }

  /** @param {readonly (readonly [look: SeatLook, codes: Iterable<string>])[]} marks */
  mark(marks) {
    const changed = this.#marks.mark(marks)
    if (changed.length > 0) this.#painter.repaint(changed)
  }

  /** @param {number} factor */
  zoomBy(factor) {
    const { width, height } = this.#size()
    this.#zoom(factor, { x: width / 2, y: height / 2 })
  }

  showWhole() {
    this.#isWhole = true
    this.#resized()
  }

  /** @param {HallSection} section */
  showSection(section) {
    this.#show(closeTo(section.bounds, this.#within()))
  }

  /** The language has changed, perhaps. @param {Pick<HallCanvasOptions, 'stage' | 'freeText'>} words */
  speak(words) {
    this.#options = { ...this.#options, ...words }
    this.#paint()
  }

  end() {
    for (const end of this.#endings) end()
    this.#painter.end()
  }

  #resized() {
    const size = this.#size()
    if (size.width === 0 || size.height === 0) return
    if (this.#isWhole || this.#view === undefined) this.#view = fitted(this.#bounds, size)
    this.#paint()
  }

  /** @param {number} dx @param {number} dy */
  #move(dx, dy) {
    if (this.#view !== undefined) this.#show(moved(this.#view, { dx, dy, ...this.#within() }))
  }

  /** @param {number} factor @param {Spot} spot */
  #zoom(factor, spot) {
    if (this.#view !== undefined) this.#show(zoomed(this.#view, { factor, spot, ...this.#within() }))
  }

  /**
   * Seats too small to be hit are made larger first, so that nobody chooses the neighbour of what was meant.
   * @param {Spot} spot @param {{ isDouble: boolean, isMouse: boolean }} how
   */
  #tap(spot, { isDouble, isMouse }) {
    const view = this.#view
    if (view === undefined) return
    const unitNo = this.#seatAt(spot)
    const isHit = view.scale >= (isMouse ? mouseScale : touchScale * 0.75)
    if (unitNo !== undefined && isHit) return this.#options.onSeat(unitNo)
    if (!isHit) return this.#zoom(Math.max(touchScale / view.scale, 1.2), spot)
    if (isDouble) this.#zoom(1.8, spot)
  }

  /** @param {Spot | undefined} spot */
  #point(spot) {
    const canPoint = spot !== undefined && (this.#view?.scale ?? 0) >= seatScaleMin
    const unitNo = canPoint ? this.#seatAt(spot) : undefined
    if (unitNo === this.#pointedAt) return
    this.#pointedAt = unitNo
    this.#paint()
    this.#options.onPoint(unitNo, unitNo === undefined ? { x: 0, y: 0 } : this.spotOf(unitNo))
  }

  /** @param {Spot} spot */
  #seatAt(spot) {
    return this.#view && this.#grid.nearest(toHall(this.#view, spot), 0.62)
  }

  /** Where a seat is on the canvas. @param {number} unitNo @returns {Spot} */
  spotOf(unitNo) {
    const { x, y } = this.#options.seats
    return this.#view ? toCanvas(this.#view, { x: x[unitNo] ?? 0, y: y[unitNo] ?? 0 }) : { x: 0, y: 0 }
  }

  /** @param {HallView} view */
  #show(view) {
    this.#view = view
    this.#isWhole = view.scale <= fitted(this.#bounds, this.#size()).scale
    this.#paint()
    this.#canvas.dispatchEvent(new Event('viewchange'))
  }

  #paint() {
    if (this.#view === undefined) return
    const { stage, freeText } = this.#options
    this.#painter.show({
      view: this.#view,
      size: this.#size(),
      density: Math.min(devicePixelRatio, densityMax),
      pointedAt: this.#pointedAt,
      stage,
      freeText,
    })
  }

  #size() {
    return { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight }
  }

  #within() {
    return { bounds: this.#bounds, size: this.#size() }
  }

  #colors() {
    const style = getComputedStyle(this.#canvas)
    return hallColors((name) => style.getPropertyValue(name).trim())
  }
}
