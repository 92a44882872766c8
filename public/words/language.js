import { computed, signal } from '/vendor/signals.js'
import { keep, kept } from '../live/kept.js'

/** @import { Language } from '../shell/formats.js' */

/** The language of the page: the one chosen here before, else the first of the browser's that we speak. */
export const language = signal(firstLanguage())

/** @param {Language} chosen */
export function speak(chosen) {
  language.value = chosen
  keep('language', chosen)
}

/**
 * Words in both languages, as a signal of those of the present one. What English has and Korean lacks is an error of
 * types, and so is what takes other values.
 * @template W
 * @param {{ readonly en: W, readonly ko: NoInfer<W> }} both
 */
export function inBoth(both) {
  return computed(() => /** @type {W} */ (both[language.value]))
}

/** @returns {Language} */
function firstLanguage() {
  const chosen = kept('language')
  if (chosen === 'en' || chosen === 'ko') return chosen
  const spoken = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'en' || tag === 'ko')
  return spoken === 'ko' ? 'ko' : 'en'
}
