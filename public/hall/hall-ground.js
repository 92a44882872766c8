import { classColor } from './hall-colors.js'
import { seenOf, toCanvas } from './hall-view.js'

/** @import { PainterParts, Picture } from './hall-painter.js' */
/** @import { HallSection, Rect } from './hall-seats.js' */

/** How far the stage is from the first row, and how deep it is, in seat widths. */
const stage = { away: 2, depth: 2.4 }
/** Rows are numbered from this size of seats on, in CSS pixels. */
const rowNumbersScale = 11

/** The hall with its stage: what is shown at first. @param {Rect} bounds @returns {Rect} */
export function withStage(bounds) {
  return { ...bounds, top: bounds.top - stage.away - stage.depth - 0.6 }
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {PainterParts} parts */
export function paintStage(context, { view, stage: word }, { seats, colors }) {
  const { left, right, top } = seats.bounds
  const width = (right - left) * 0.42
  const corner = toCanvas(view, { x: (left + right - width) / 2, y: top - stage.away - stage.depth })
  const [w, h] = [width * view.scale, stage.depth * view.scale]
  context.fillStyle = colors.sunken
  context.beginPath()
  context.roundRect(corner.x, corner.y, w, h, Math.min(h / 2, 14))
  context.fill()
  const size = Math.min(Math.max(h * 0.45, 7), 15)
  if (h < 6) return
  text(context, word, { x: corner.x + w / 2, y: corner.y + h / 2, size, color: colors.muted, weight: 650 })
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {PainterParts & { showsSeats: boolean }} parts */
export function paintSections(context, picture, { seats, free, colors, showsSeats }) {
  const seen = seenOf(picture.view, picture.size)
  for (const [index, section] of seats.sections.entries()) {
    if (!isSeen(section, seen)) continue
    const count = free.bySection[index] ?? 0
    context.beginPath()
    for (const [x, y] of section.outline) {
      const corner = toCanvas(picture.view, { x, y })
      context.lineTo(corner.x, corner.y)
    }
    context.closePath()
    context.fillStyle = colors.sunken
    context.globalAlpha = showsSeats ? 0.5 : 1
    context.fill()
    context.globalAlpha = 1
    if (showsSeats) continue
    // Fuller where more is free: a section that is gone is as grey as a seat that is.
    context.globalAlpha = count === 0 ? 0 : 0.3 + 0.7 * (count / section.seats)
    context.fillStyle = classColor(colors, section.mainClass)
    context.fill()
    context.globalAlpha = 1
    paintSectionName(context, picture, { section, free: count, colors })
  }
}

/** Numbers beside the first seats of rows, so that one finds the row of a ticket. @param {CanvasRenderingContext2D} context @param {Picture} picture @param {PainterParts} parts */
export function paintRowNumbers(context, { view, size }, { seats, colors }) {
  if (view.scale < rowNumbersScale) return
  const seen = seenOf(view, size)
  for (const section of seats.sections) {
    if (!isSeen(section, seen)) continue
    for (const row of section.rows) {
      const [x, y] = [seats.x[row.first] ?? 0, seats.y[row.first] ?? 0]
      const next = row.seats > 1 ? row.first + 1 : row.first
      const [dx, dy] = [(seats.x[next] ?? x) - x, (seats.y[next] ?? y) - y]
      const spot = toCanvas(view, { x: x - dx * 1.1, y: y - dy * 1.1 })
      text(context, String(row.row), {
        ...spot,
        size: Math.min(view.scale * 0.55, 13),
        color: colors.muted,
        weight: 500,
      })
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {PainterParts} parts */
export function paintPointer(context, { view, pointedAt }, { seats, colors }) {
  if (pointedAt === undefined) return
  const { x, y } = toCanvas(view, { x: seats.x[pointedAt] ?? 0, y: seats.y[pointedAt] ?? 0 })
  context.strokeStyle = colors.ink
  context.lineWidth = 2
  context.beginPath()
  context.arc(x, y, view.scale * 0.52 + 1, 0, 2 * Math.PI)
  context.stroke()
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {{ section: HallSection, free: number, colors: PainterParts['colors'] }} about */
function paintSectionName(context, { view, freeText }, { section, free, colors }) {
  const { x, y } = toCanvas(view, { x: section.middle[0], y: section.middle[1] })
  const width = (section.bounds.right - section.bounds.left) * view.scale
  const height = (section.bounds.bottom - section.bounds.top) * view.scale
  const size = Math.min(width / 3, height / 2.6, 17)
  if (size < 7) return
  const words = freeText(section, free)
  context.font = `500 ${Math.round(size * 0.72)}px system-ui, sans-serif`
  const wordsWidth = context.measureText(words).width
  const isRoomy = height > size * 2.6 && wordsWidth < width - 6
  const box = isRoomy
    ? { width: Math.max(size, wordsWidth) + 12, height: size * 2.2 }
    : { width: size * section.code.length * 0.7 + 10, height: size * 1.3 }
  context.fillStyle = colors.surface
  context.globalAlpha = 0.9
  context.beginPath()
  context.roundRect(x - box.width / 2, y - box.height / 2, box.width, box.height, 6)
  context.fill()
  context.globalAlpha = 1
  text(context, section.code, { x, y: isRoomy ? y - size * 0.42 : y, size, color: colors.ink, weight: 700 })
  if (!isRoomy) return
  const color = free === 0 ? colors.muted : colors.ink
  text(context, words, { x, y: y + size * 0.58, size: size * 0.72, color, weight: 500 })
}

/** @param {HallSection} section @param {Rect} seen */
function isSeen({ bounds: { left, top, right, bottom } }, seen) {
  return right >= seen.left && left <= seen.right && bottom >= seen.top && top <= seen.bottom
}

/** @param {CanvasRenderingContext2D} context @param {string} words @param {{ x: number, y: number, size: number, color: string, weight: number }} how */
function text(context, words, { x, y, size, color, weight }) {
  context.font = `${weight} ${Math.round(size)}px system-ui, sans-serif`
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.fillStyle = color
  context.fillText(words, x, y)
}
