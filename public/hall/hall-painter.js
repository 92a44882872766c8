import { paintPointer, paintRowNumbers, paintSections, paintStage } from './hall-ground.js'
import { seatScaleMin, seenOf, toCanvas } from './hall-view.js'
import { SeatTiles, tileSize } from './seat-tiles.js'

/** @import { FreeSeats } from './free-seats.js' */
/** @import { HallColors } from './hall-colors.js' */
/** @import { HallSeats, HallSection } from './hall-seats.js' */
/** @import { HallView, Size } from './hall-view.js' */
/** @import { SeatGrid } from './seat-grid.js' */
/** @import { SeatMarks } from './seat-look.js' */

/** Drawing seats may take so long in a frame; a picture of 60 a second has 16. */
const sliceMs = 7
/** A zoom rests when it has not changed for so long; until then the seats drawn before are shown larger or smaller. */
const restMs = 110
/** Seats bear their numbers from this size on, in CSS pixels. */
const numberedScale = 24

/**
 * @typedef {object} Picture
 * @property {HallView} view
 * @property {Size} size
 * @property {number} density device pixels in a CSS pixel
 * @property {number | undefined} pointedAt the seat under the pointer
 * @property {string} stage the word for it
 * @property {(section: HallSection, free: number) => string} freeText
 *
 * @typedef {object} PainterParts
 * @property {HallSeats} seats
 * @property {SeatGrid} grid
 * @property {FreeSeats} free
 * @property {SeatMarks} marks
 * @property {HallColors} colors
 */

/**
 * Draws a hall: sections, and in front of them the seats, as tiles that are drawn in slices between frames. It draws
 * when something has changed, once a frame.
 */
export class HallPainter {
  #parts
  #context
  /** @type {Picture | undefined} */
  #picture
  /** @type {SeatTiles | undefined} */
  #tiles
  /** What is shown until the tiles are there. @type {SeatTiles | undefined} */
  #before
  #scaleSinceMs = 0
  #frame = 0

  /** @param {HTMLCanvasElement} canvas @param {PainterParts} parts */
  constructor(canvas, parts) {
    const context = canvas.getContext('2d')
    if (context === null) throw new Error('This browser cannot draw')
    this.#context = context
    this.#parts = parts
  }

  /** @param {Picture} picture */
  show(picture) {
    const { canvas } = this.#context
    const width = Math.max(1, Math.round(picture.size.width * picture.density))
    const height = Math.max(1, Math.round(picture.size.height * picture.density))
    // Setting the size empties the canvas, even where it stays the same.
    if (canvas.width !== width) canvas.width = width
    if (canvas.height !== height) canvas.height = height
    if (this.#picture?.view.scale !== picture.view.scale) this.#scaleSinceMs = performance.now()
    this.#picture = picture
    this.#askForFrame()
  }

  /** These seats look different. @param {readonly number[]} units */
  repaint(units) {
    this.#tiles?.repaint(units)
    this.#before?.repaint(units)
    this.#askForFrame()
  }

  /** All seats may look different, or the colours do. @param {HallColors} [colors] */
  repaintAll(colors) {
    if (colors !== undefined) this.#parts = { ...this.#parts, colors }
    this.#before ??= this.#tiles
    this.#tiles = undefined
    this.#askForFrame()
  }

  end() {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    this.#picture = undefined
  }

  #askForFrame() {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#paint())
  }

  #paint() {
    this.#frame = 0
    const picture = this.#picture
    if (picture === undefined) return
    const context = this.#context
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, context.canvas.width, context.canvas.height)
    context.setTransform(picture.density, 0, 0, picture.density, 0, 0)
    const showsSeats = picture.view.scale >= seatScaleMin
    paintStage(context, picture, this.#parts)
    paintSections(context, picture, { ...this.#parts, showsSeats })
    const isComplete = !showsSeats || this.#paintSeats(picture)
    context.setTransform(picture.density, 0, 0, picture.density, 0, 0)
    if (showsSeats) paintRowNumbers(context, picture, this.#parts)
    paintPointer(context, picture, this.#parts)
    if (!isComplete) this.#askForFrame()
  }

  /** @param {Picture} picture @returns {boolean} whether all is drawn as it should be */
  #paintSeats(picture) {
    const startMs = performance.now()
    const pitch = picture.view.scale * picture.density
    const rests = startMs - this.#scaleSinceMs >= restMs
    if (this.#tiles === undefined || (this.#tiles.pitch !== pitch && rests)) {
      this.#before ??= this.#tiles
      const isNumbered = picture.view.scale >= numberedScale
      this.#tiles = new SeatTiles({ ...this.#parts, pitch, isNumbered })
    }
    this.#context.setTransform(1, 0, 0, 1, 0, 0)
    if (this.#tiles.pitch !== pitch) {
      this.#paintTiles(this.#before ?? this.#tiles, picture)
      return false
    }
    const range = rangeOf(picture, this.#parts.seats, pitch)
    const isComplete = this.#tiles.complete(range, () => performance.now() - startMs > sliceMs)
    if (isComplete) this.#before = undefined
    this.#paintTiles(this.#before ?? this.#tiles, picture)
    return isComplete
  }

  /** @param {SeatTiles} tiles @param {Picture} picture */
  #paintTiles(tiles, picture) {
    const { bounds } = this.#parts.seats
    const { view, density } = picture
    const factor = (view.scale * density) / tiles.pitch
    const corner = toCanvas(view, { x: bounds.left, y: bounds.top })
    // Whole device pixels: what is copied to halves of them is blurred.
    const [left, top] = [Math.round(corner.x * density), Math.round(corner.y * density)]
    const range = rangeOf(picture, this.#parts.seats, tiles.pitch)
    const edge = tileSize * factor
    for (let row = range.fromRow; row <= range.toRow; row++) {
      for (let column = range.fromColumn; column <= range.toColumn; column++) {
        const tile = tiles.at(column, row)
        if (tile) this.#context.drawImage(tile, left + column * edge, top + row * edge, edge, edge)
      }
    }
  }
}

/** The tiles that are seen. @param {Picture} picture @param {HallSeats} seats @param {number} pitch */
function rangeOf({ view, size }, { bounds }, pitch) {
  const seen = seenOf(view, size)
  /** @param {number} value @param {number} from @param {number} to */
  const tileAt = (value, from, to) =>
    Math.floor(((Math.min(Math.max(value, from), to) - from) * pitch) / tileSize)
  return {
    fromColumn: tileAt(seen.left, bounds.left, bounds.right),
    toColumn: tileAt(seen.right, bounds.left, bounds.right),
    fromRow: tileAt(seen.top, bounds.top, bounds.bottom),
    toRow: tileAt(seen.bottom, bounds.top, bounds.bottom),
  }
}
