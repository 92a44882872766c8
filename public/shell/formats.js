/** Numbers, money and times as people of a language write them. Nothing here knows the page. */

/** @typedef {'en' | 'ko'} Language */

/** @param {Language} language @param {number} value */
export function formatNumber(language, value) {
  return formatter(language, 'number', (tag) => new Intl.NumberFormat(tag)).format(value)
}

/** @param {Language} language @param {{ amountMinor: number, currency: string }} money in the currency's minor unit */
export function formatMoney(language, { amountMinor, currency }) {
  const format = formatter(
    language,
    `money ${currency}`,
    (tag) => new Intl.NumberFormat(tag, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }),
  )
  const { maximumFractionDigits = 0 } = format.resolvedOptions()
  return format.format(amountMinor / 10 ** maximumFractionDigits)
}

/** Day and time, with the year where it is not this one. @param {Language} language @param {number | string} time */
export function formatMoment(language, time) {
  return formatter(
    language,
    'moment',
    (tag) =>
      new Intl.DateTimeFormat(tag, {
        month: 'short',
        day: 'numeric',
        weekday: 'short',
        hour: 'numeric',
        minute: '2-digit',
      }),
  ).format(new Date(time))
}

/** @param {Language} language @param {number | string} time */
export function formatClock(language, time) {
  return formatter(
    language,
    'clock',
    (tag) => new Intl.DateTimeFormat(tag, { hour: 'numeric', minute: '2-digit' }),
  ).format(new Date(time))
}

/** The day of a time. @param {Language} language @param {number | string} time */
export function formatDay(language, time) {
  return formatter(
    language,
    'day',
    (tag) => new Intl.DateTimeFormat(tag, { month: 'short', day: 'numeric' }),
  ).format(new Date(time))
}

/** @param {Language} language @param {number} day 1 is Monday */
export function formatWeekday(language, day) {
  // The first of June 2026 is a Monday.
  return formatter(
    language,
    'weekday',
    (tag) => new Intl.DateTimeFormat(tag, { weekday: 'short', timeZone: 'UTC' }),
  ).format(Date.UTC(2026, 5, day))
}

/** As people say how far it is: `350 m`, `1.2 km`, `18 km`. @param {Language} language @param {number} metres */
export function formatDistance(language, metres) {
  const isFar = metres >= 1000
  const unit = isFar ? 'kilometer' : 'meter'
  const value = isFar ? metres / 1000 : Math.round(metres / 10) * 10
  return formatter(
    language,
    `distance ${unit} ${value < 10}`,
    (tag) => new Intl.NumberFormat(tag, { style: 'unit', unit, maximumFractionDigits: value < 10 ? 1 : 0 }),
  ).format(value)
}

/** A date without a time, `2026-03-01`, wherever one is. @param {Language} language @param {string} date */
export function formatDate(language, date) {
  return formatter(
    language,
    'date',
    (tag) =>
      new Intl.DateTimeFormat(tag, { month: 'short', day: 'numeric', weekday: 'short', timeZone: 'UTC' }),
  ).format(new Date(`${date}T00:00:00Z`))
}

/**
 * What is left, for a countdown: `4:07`, `1:02:30`. Never below zero, and rounded up: nobody sees 0:00 too early.
 * @param {number} ms
 */
export function formatLeft(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const tail = String(seconds % 60).padStart(2, '0')
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, '0')}:${tail}`
}

/**
 * A length of time in one unit, the largest that fits: `40 sec`, `3 min`, `2 hr`, `5 days`.
 * @param {Language} language
 * @param {number} seconds
 */
export function formatSpan(language, seconds) {
  const { unit, size } = spans.find(({ size }) => seconds >= size) ?? { unit: 'second', size: 1 }
  return formatter(
    language,
    `span ${unit}`,
    (tag) => new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long' }),
  ).format(Math.round(seconds / size))
}

const spans = [
  { unit: 'day', size: 86_400 },
  { unit: 'hour', size: 3600 },
  { unit: 'minute', size: 60 },
]

/** @type {Map<string, unknown>} */
const formatters = new Map()
const tags = { en: 'en', ko: 'ko' }

/** Making one is slow, using it is not. @template F @param {Language} language @param {string} name @param {(tag: string) => F} make @returns {F} */
function formatter(language, name, make) {
  const key = `${language} ${name}`
  const made = /** @type {F | undefined} */ (formatters.get(key)) ?? make(tags[language])
  formatters.set(key, made)
  return made
}
