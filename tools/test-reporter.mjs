// The reporter of `npm test`: a line for each test file, the story of each failure, and at the end
// `N passed, N failed`. It is JavaScript because tap loads it into its own process, which knows no TypeScript.
import { Transform } from 'node:stream'
import { Parser } from 'tap-parser'

/** @typedef {import('tap-parser').Result} Result */
/** @typedef {Record<string, unknown> | null} Diagnosis */

/** What tap adds to each failure and nobody reads here. */
const noise = new Set(['source', 'at', 'tapCaller'])

export default class TestReporter extends Transform {
  #passed = 0
  #failed = 0
  #leftOut = 0
  /** @readonly */
  #parser = new Parser()

  constructor() {
    super({ encoding: 'utf8' })
    this.#parser.on('pass', () => this.#passed++)
    this.#parser.on('fail', (/** @type {{ fullname: string, diag: Diagnosis }} */ { fullname, diag }) => {
      this.#fail(fullname, diag)
    })
    this.#parser.on('skip', (/** @type {Result} */ result) => this.#leaveOut(result))
    this.#parser.on('todo', (/** @type {Result} */ result) => this.#leaveOut(result))
    this.#parser.on('bailout', (/** @type {string} */ reason) => this.#fail('bail out', { reason }))
    this.#parser.on('assert', (/** @type {Result} */ file) => {
      const seconds = ((file.time ?? 0) / 1000).toFixed(1).padStart(6)
      this.push(`${file.ok ? 'ok    ' : 'not ok'} ${seconds} s  ${asWritten(file.name)}\n`)
    })
  }

  /**
   * @override
   * @param {Buffer} chunk
   * @param {BufferEncoding} _encoding
   * @param {() => void} done
   */
  _transform(chunk, _encoding, done) {
    this.#parser.write(chunk)
    done()
  }

  /**
   * @override
   * @param {() => void} done
   */
  _flush(done) {
    this.#parser.once('complete', (/** @type {import('tap-parser').FinalResults} */ results) => {
      // A broken plan or a run without an assertion fails with nobody to blame.
      const isEmpty = this.#passed === 0
      if ((!results.ok || isEmpty) && this.#failed === 0)
        this.#fail('the run as a whole', { failures: results.failures })
      if (this.#leftOut > 0) this.push(`${this.#leftOut} left out\n`)
      this.push(`${this.#passed} passed, ${this.#failed} failed\n`)
      done()
    })
    this.#parser.end()
  }

  /** @param {Result} result */
  #leaveOut(result) {
    this.#leftOut++
    this.push(`left out      ${asWritten(result.fullname)}\n`)
  }

  /**
   * @param {string} name
   * @param {Diagnosis} diagnosis
   */
  #fail(name, diagnosis) {
    this.#failed++
    this.push(`\n✗ ${asWritten(name)}\n`)
    const { stack, diff, ...more } = diagnosis ?? {}
    const rest = Object.entries(more).filter(([key]) => !noise.has(key))
    const story = [...rest.map(([key, value]) => `${key}: ${textOf(value)}`), textOf(diff), textOf(stack)]
    for (const line of story.join('\n').split('\n')) if (line !== '') this.push(`    ${line}\n`)
    this.push('\n')
  }
}

/**
 * A test runs compiled, and is called by the file somebody wrote.
 * @param {string} name
 */
function asWritten(name) {
  return name.replace(/\.tests\/(\S+)\.js\b/g, '$1.ts')
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === 'string' ? value.trimEnd() : (JSON.stringify(value, null, 2) ?? '')
}
