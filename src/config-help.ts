import { settings } from './config.ts'

/** The text of `--help`: every setting with its meaning and its default, at most 100 columns wide. */
export function helpText(): string {
  const blocks = settings().map(({ meta, defaultText }) => {
    const names = [
      meta.flag && withValue(`--${meta.flag}`, ' ', meta.value),
      meta.env && withValue(meta.env, '=', meta.value ?? 'true'),
    ]
    return [
      `  ${names.filter(Boolean).join(', ')}`,
      ...wrapped(`${meta.description} (default: ${defaultText})`),
    ].join('\n')
  })
  return [
    'Openrun: a real-time booking server for the minute in which everybody comes at once.',
    '',
    'Usage: npm start -- [options]     Settings are environment variables; an option wins over its variable.',
    '',
    ...blocks,
    '  --help, -h',
    ...wrapped('Show this text'),
  ].join('\n')
}

/** The settings as rows of a Markdown table, with its head. */
export function configurationTable(): string {
  const rows = settings().map(({ meta, defaultText }) => {
    const names = [meta.env, meta.flag && `--${meta.flag}`].filter(Boolean).map((name) => `\`${name}\``)
    return `| ${names.join(', ')} | ${defaultText} | ${meta.description} |`
  })
  return ['| setting | default | meaning |', '|---|---|---|', ...rows].join('\n')
}

function withValue(name: string, between: string, value: string | undefined): string {
  return value ? `${name}${between}${value}` : name
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + word.length > 92) {
      lines.push(line)
      line = ''
    }
    line += line ? ` ${word}` : word
  }
  return [...lines, line].map((part) => `        ${part}`)
}
