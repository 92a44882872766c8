/**
 * Why the program cannot start, in words for the person who typed the command: one line per reason, no stack
 * trace. The root prints `message` and ends with exit code 1.
 */
export class StartError extends Error {
  readonly lines: readonly string[]

  constructor(lines: string | readonly string[], options: { readonly cause?: unknown } = {}) {
    const all = typeof lines === 'string' ? [lines] : lines
    super(all.join('\n'), options)
    this.name = 'StartError'
    this.lines = all
  }
}
