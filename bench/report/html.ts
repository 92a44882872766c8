import { format } from 'echarts'

/** Markup that may stand in a page as it is. */
export interface Html {
  readonly markup: string
}

type Part = string | number | Html | readonly Html[]

/** A template whose parts are text, and are escaped, unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const filled = parts.map((part, at) => `${strings[at] ?? ''}${markupOf(part)}`)
  return { markup: `${filled.join('')}${strings[parts.length] ?? ''}` }
}

export const nothing: Html = { markup: '' }

function markupOf(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return format.encodeHTML(String(part))
  if ('markup' in part) return part.markup
  return part.map(({ markup }) => markup).join('\n')
}
