import { language } from '../words/language.js'
import * as formats from './formats.js'

/** The formats in the language of the page; a component that uses one is drawn anew when the language changes. */

/** @param {number} value */
export const number = (value) => formats.formatNumber(language.value, value)
/** @param {{ amountMinor: number, currency: string }} money */
export const money = (money) => formats.formatMoney(language.value, money)
/** @param {number | string} time */
export const moment = (time) => formats.formatMoment(language.value, time)
/** @param {number | string} time */
export const clock = (time) => formats.formatClock(language.value, time)
/** @param {string} date */
export const date = (date) => formats.formatDate(language.value, date)
/** @param {number} seconds */
export const span = (seconds) => formats.formatSpan(language.value, seconds)
/** A day, with the year where it is not this one. @param {number | string} time */
export const shortDate = (time) => formats.formatDay(language.value, time)
/** @param {number} metres */
export const distance = (metres) => formats.formatDistance(language.value, metres)
/** @param {number} day 1 is Monday */
export const weekday = (day) => formats.formatWeekday(language.value, day)
