/** A path whose parts cannot break out of their place. */
export function path(texts: TemplateStringsArray, ...parts: readonly string[]): string {
  return texts.reduce((whole, text, index) => whole + encodeURIComponent(parts[index - 1] ?? '') + text)
}
