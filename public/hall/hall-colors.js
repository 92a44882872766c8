/** How many colours there are for price classes, as `--class-0` and so on in hall.css. */
const colorCount = 8

/**
 * @typedef {object} HallColors
 * @property {readonly string[]} classes
 * @property {string} ink
 * @property {string} muted
 * @property {string} surface
 * @property {string} sunken
 * @property {string} accent
 * @property {string} onAccent
 * @property {string} warn
 */

/** As the page is coloured at this moment. @param {(name: string) => string} token @returns {HallColors} */
export function hallColors(token) {
  return {
    classes: Array.from({ length: colorCount }, (_, index) => token(`--class-${index}`)),
    ink: token('--ink'),
    muted: token('--muted'),
    surface: token('--surface'),
    sunken: token('--sunken'),
    accent: token('--accent'),
    onAccent: token('--on-accent'),
    warn: token('--warn'),
  }
}

/** @param {HallColors} colors @param {number} priceClass */
export function classColor({ classes }, priceClass) {
  return classes[priceClass % colorCount] ?? 'gray'
}

/** The same for a style of the page. @param {number} priceClass */
export function classColorToken(priceClass) {
  return `var(--class-${priceClass % colorCount})`
}
