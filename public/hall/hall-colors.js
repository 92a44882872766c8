/**
 * Colours of price classes: after Okabe and Ito, whose set those see apart who see red and green alike; darkened for a
 * light ground so that each stands out from it by 3:1 at the least. A class is never told by its colour alone: its
 * price stands wherever a seat is named.
 */
const light = ['#0067a8', '#b84a00', '#00795a', '#a23b7a', '#7a5c00', '#4a46b8', '#2f7f9e', '#5b5b5b']
const dark = ['#5cb8f0', '#ff9b54', '#3fcf9f', '#ea9ccd', '#eed75a', '#a5a2ff', '#7fd6e6', '#c9c9c9']

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

/** As the page is coloured at this moment. @param {boolean} isDark @param {(token: string) => string} token @returns {HallColors} */
export function hallColors(isDark, token) {
  return {
    classes: isDark ? dark : light,
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
  return classes[priceClass % classes.length] ?? '#0067a8'
}

/** The colour as `public/hall/hall.css` names it. @param {number} priceClass */
export function classColorName(priceClass) {
  return `class-color-${priceClass % light.length}`
}
