import { SeatSprites } from './seat-sprites.js'

/** @import { HallColors } from './hall-colors.js' */
/** @import { HallSeats } from './hall-seats.js' */
/** @import { SeatGrid } from './seat-grid.js' */
/** @import { SeatMarks } from './seat-look.js' */

/** Edge of a tile, in device pixels: at the smallest seats some four thousand of them, drawn in a few milliseconds. */
export const tileSize = 256
/** How many tiles are kept: four times a large screen. */
const tilesMax = 160

/** @typedef {{ fromColumn: number, toColumn: number, fromRow: number, toRow: number }} TileRange both ends included */

/**
 * The seats of a hall at one size, as pictures drawn once. What changes is painted over, seat by seat.
 */
export class SeatTiles {
  /** Device pixels from seat to seat. */
  pitch
  #parts
  #sprites
  /** @type {Map<string, HTMLCanvasElement>} */
  #tiles = new Map()

  /**
   * @param {object} parts
   * @param {HallSeats} parts.seats
   * @param {SeatGrid} parts.grid
   * @param {SeatMarks} parts.marks
   * @param {HallColors} parts.colors
   * @param {number} parts.pitch
   * @param {boolean} parts.isNumbered seats are large enough to bear their numbers
   */
  constructor(parts) {
    this.#parts = parts
    this.pitch = parts.pitch
    this.#sprites = new SeatSprites(parts)
  }

  /** @param {number} column @param {number} row */
  at(column, row) {
    return this.#tiles.get(`${column} ${row}`)
  }

  /**
   * Draws tiles that are missing, those in the middle first, until the time is up.
   * @param {TileRange} range
   * @param {() => boolean} isTimeUp
   * @returns {boolean} whether all of them are there
   */
  complete(range, isTimeUp) {
    for (const [column, row] of fromTheMiddle(range)) {
      if (this.at(column, row) !== undefined) continue
      if (isTimeUp()) return false
      this.#draw(column, row)
    }
    return true
  }

  /** Paints seats anew wherever they have been drawn. @param {Iterable<number>} units */
  repaint(units) {
    for (const unitNo of units) {
      const [x, y] = this.#spot(unitNo)
      const reach = this.#sprites.size / 2 + 1
      const columns = [Math.floor((x - reach) / tileSize), Math.floor((x + reach) / tileSize)]
      const rows = [Math.floor((y - reach) / tileSize), Math.floor((y + reach) / tileSize)]
      for (const column of new Set(columns)) {
        for (const row of new Set(rows)) {
          const context = this.at(column, row)?.getContext('2d')
          if (!context) continue
          context.globalCompositeOperation = 'destination-out'
          this.#copy(context, this.#sprites.eraser(), x - column * tileSize, y - row * tileSize)
          context.globalCompositeOperation = 'source-over'
          this.#seat(context, unitNo, column, row)
        }
      }
    }
  }

  /** @param {number} column @param {number} row */
  #draw(column, row) {
    const { seats, grid } = this.#parts
    const canvas = document.createElement('canvas')
    canvas.width = tileSize
    canvas.height = tileSize
    const context = canvas.getContext('2d')
    const { left, top } = seats.bounds
    const reach = 0.6
    const within = {
      left: left + (column * tileSize) / this.pitch - reach,
      top: top + (row * tileSize) / this.pitch - reach,
      right: left + ((column + 1) * tileSize) / this.pitch + reach,
      bottom: top + ((row + 1) * tileSize) / this.pitch + reach,
    }
    if (context) for (const unitNo of grid.within(within)) this.#seat(context, unitNo, column, row)
    this.#keep(`${column} ${row}`, canvas)
  }

  /** @param {CanvasRenderingContext2D} context @param {number} unitNo @param {number} column @param {number} row */
  #seat(context, unitNo, column, row) {
    const { seats, marks, colors, isNumbered } = this.#parts
    const [x, y] = this.#spot(unitNo)
    const [tileX, tileY] = [x - column * tileSize, y - row * tileSize]
    const look = marks.lookOf(unitNo)
    this.#copy(context, this.#sprites.of(look, seats.priceClass[unitNo] ?? 0), tileX, tileY)
    if (!isNumbered || (look !== 'free' && look !== 'alone')) return
    context.font = `600 ${Math.round(this.pitch * 0.34)}px system-ui, sans-serif`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillStyle = look === 'free' ? colors.surface : colors.ink
    context.fillText(String(seats.seatInRow(unitNo)), Math.round(tileX), Math.round(tileY) + 1)
  }

  /** @param {CanvasRenderingContext2D} context @param {HTMLCanvasElement} sprite @param {number} x @param {number} y */
  #copy(context, sprite, x, y) {
    const half = (this.#sprites.size - 1) / 2
    context.drawImage(sprite, Math.round(x) - half, Math.round(y) - half)
  }

  /** Where a seat is, in device pixels from the corner of the hall. @param {number} unitNo @returns {[number, number]} */
  #spot(unitNo) {
    const { x, y, bounds } = this.#parts.seats
    return [((x[unitNo] ?? 0) - bounds.left) * this.pitch, ((y[unitNo] ?? 0) - bounds.top) * this.pitch]
  }

  /** @param {string} key @param {HTMLCanvasElement} canvas */
  #keep(key, canvas) {
    this.#tiles.set(key, canvas)
    const [oldest] = this.#tiles.keys()
    if (this.#tiles.size > tilesMax && oldest !== undefined) this.#tiles.delete(oldest)
  }
}

/** @param {TileRange} range @returns {[column: number, row: number][]} */
function fromTheMiddle({ fromColumn, toColumn, fromRow, toRow }) {
  const [middleColumn, middleRow] = [(fromColumn + toColumn) / 2, (fromRow + toRow) / 2]
  /** @type {[number, number][]} */
  const tiles = []
  for (let row = fromRow; row <= toRow; row++) {
    for (let column = fromColumn; column <= toColumn; column++) tiles.push([column, row])
  }
  /** @param {[number, number]} tile */
  const away = ([column, row]) => Math.hypot(column - middleColumn, row - middleRow)
  return tiles.toSorted((a, b) => away(a) - away(b))
}
