import { classColor } from './hall-colors.js'

/** @import { HallColors } from './hall-colors.js' */
/** @import { SeatLook } from './seat-look.js' */

const whole = 2 * Math.PI

/**
 * Each look of a seat drawn once for one size, to be copied from then on: copying a picture is many times quicker than
 * drawing a circle. State is told by shape: a free seat is filled, one being bought is a hatched ring, a sold one a dot.
 */
export class SeatSprites {
  /** Edge of a sprite, in device pixels; odd, so that it has a middle. */
  size
  #pitch
  #colors
  /** @type {Map<string, HTMLCanvasElement>} */
  #sprites = new Map()

  /** @param {{ pitch: number, colors: HallColors }} options `pitch` from seat to seat, in device pixels */
  constructor({ pitch, colors }) {
    this.#pitch = pitch
    this.#colors = colors
    this.size = Math.ceil(pitch * 1.04) | 1
  }

  /** @param {SeatLook} look @param {number} priceClass */
  of(look, priceClass) {
    const key = `${look} ${priceClass}`
    const made = this.#sprites.get(key) ?? this.#draw((context) => this.#seat(context, look, priceClass))
    this.#sprites.set(key, made)
    return made
  }

  /** Takes a seat away where it is copied with `destination-out`; a little larger than any look. */
  eraser() {
    const made =
      this.#sprites.get('eraser') ?? this.#draw((context) => disc(context, this.#pitch * 0.5, '#000'))
    this.#sprites.set('eraser', made)
    return made
  }

  /** @param {(context: CanvasRenderingContext2D) => void} work */
  #draw(work) {
    const canvas = document.createElement('canvas')
    canvas.width = this.size
    canvas.height = this.size
    const context = canvas.getContext('2d')
    if (context !== null) {
      context.translate(this.size / 2, this.size / 2)
      work(context)
    }
    return canvas
  }

  /** @param {CanvasRenderingContext2D} context @param {SeatLook} look @param {number} priceClass */
  #seat(context, look, priceClass) {
    const { ink, muted, accent, onAccent, surface, warn } = this.#colors
    const color = classColor(this.#colors, priceClass)
    const pitch = this.#pitch
    if (look === 'free') return disc(context, pitch * 0.4, color)
    if (look === 'sold') {
      context.globalAlpha = 0.45
      return disc(context, Math.max(pitch * 0.14, 0.6), muted)
    }
    if (look === 'held') return hatched(context, pitch, color)
    if (look === 'watched') {
      hatched(context, pitch, color)
      return disc(context, pitch * 0.2, accent)
    }
    if (look === 'alone') return ring(context, pitch * 0.38, Math.max(1.5, pitch * 0.18), warn)
    disc(context, pitch * 0.48, look === 'mine' ? accent : ink)
    tick(context, pitch, look === 'mine' ? onAccent : surface)
  }
}

/** @param {CanvasRenderingContext2D} context @param {number} pitch @param {string} color */
function hatched(context, pitch, color) {
  ring(context, pitch * 0.34, Math.max(0.8, pitch * 0.1), color)
  if (pitch < 9) return
  const reach = pitch * 0.22
  context.lineWidth = Math.max(0.8, pitch * 0.07)
  context.strokeStyle = color
  context.beginPath()
  for (const shift of [-0.13, 0.13]) {
    context.moveTo(-reach + shift * pitch, reach + shift * pitch)
    context.lineTo(reach + shift * pitch, -reach + shift * pitch)
  }
  context.stroke()
}

/** @param {CanvasRenderingContext2D} context @param {number} pitch @param {string} color */
function tick(context, pitch, color) {
  context.strokeStyle = color
  context.lineWidth = Math.max(1, pitch * 0.12)
  context.lineCap = 'round'
  context.lineJoin = 'round'
  context.beginPath()
  context.moveTo(-pitch * 0.2, pitch * 0.01)
  context.lineTo(-pitch * 0.05, pitch * 0.17)
  context.lineTo(pitch * 0.22, -pitch * 0.16)
  context.stroke()
}

/** @param {CanvasRenderingContext2D} context @param {number} radius @param {string} color */
function disc(context, radius, color) {
  context.fillStyle = color
  context.beginPath()
  context.arc(0, 0, radius, 0, whole)
  context.fill()
}

/** @param {CanvasRenderingContext2D} context @param {number} radius @param {number} width @param {string} color */
function ring(context, radius, width, color) {
  context.strokeStyle = color
  context.lineWidth = width
  context.beginPath()
  context.arc(0, 0, radius, 0, whole)
  context.stroke()
}
