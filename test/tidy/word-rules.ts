import type { Rule } from './tree.ts'

interface Ban {
  readonly words: RegExp
  readonly why: string
  /** Where it is looked for; everywhere when absent. */
  readonly within?: RegExp
  /** The places where it is right. */
  readonly except?: RegExp
}

/** Banned words are written here with a tilde, so that no file that speaks of them finds itself. */
export const untilded = (text: string): string => text.replaceAll('~', '')
const found = (pattern: string): RegExp => new RegExp(untilded(pattern), 'm')
const code = /\.(ts|mjs|js)$/
const ofTheProduct = /^src\/.*(?<!\.test)\.ts$/
const tests = /\.test\.ts$|^test\//

const bans: readonly Ban[] = [
  { words: found('\\b(FIX~ME|TO~DO|XX~X|HA~CK)\\b'), why: 'do it now, or write it where plans are kept' },
  {
    words: found('@ts-~(ignore|expect-error|nocheck)|(eslint|oxlint)-~disable|oxfmt-~ignore|c8 ~ignore'),
    why: 'the tool is right, or its rule is wrong for all',
  },
  { words: found('\\bas ~any(?=[\\])};,.]|$)'), within: code, why: 'name the type, or `unknown`' },
  { words: /^\s*(export\s+)?(const\s+)?enum\s/m, within: /\.ts$/, why: 'a union of strings does it' },
  { words: found('\\.(sk~ip|on~ly|to~do)\\('), within: tests, why: 'a test runs, or it goes' },
  { words: /new Date\(\)/, within: ofTheProduct, why: 'take a Clock: tests own the time' },
  {
    words: /\b(sql|tx)`/,
    within: /^src\/(server|streams|client|crowd)\/.*(?<!\.test)\.ts$/,
    why: 'queries live in the domain',
  },
  {
    words: /\bsql\.begin\b/,
    within: ofTheProduct,
    except: /^src\/db\/transaction\.ts$/,
    why: 'transaction.ts is the only door to a transaction',
  },
  {
    words: /\beval(sha)?\(/,
    within: ofTheProduct,
    except: /^src\/db\/script\.ts$/,
    why: 'scripts run through script.ts',
  },
  { words: found('(^|[\\s\'"`(=])/~(work|home|root)/'), why: 'a path of one machine' },
  { words: found('registry\\.~(npmjs|yarnpkg)|npm~mirror|verd~accio'), why: 'the host of a registry' },
  { words: /\r/, why: 'lines end with a line feed' },
]
/** Words that have no place in the project, each with its reason. */
export const bannedWords: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    bans
      .filter(({ within, except }) => (within?.test(path) ?? true) && !except?.test(path))
      .flatMap(({ words, why }) => {
        const match = words.exec(text)
        return match ? [`${path}:${lineAt(text, match.index)}: "${match[0].trim()}": ${why}`] : []
      }),
  )

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
