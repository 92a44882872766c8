import { open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Sql } from '../../src/db/postgres.ts'

/** Of the bench itself; what others ask is counted. */
const ownName = 'bench'
/** `name|LOG:  execute p1abc/1: select …`; the lines of a long statement after the first begin with a tab. */
const statementLine = /^([^|\n]*)\|LOG: {2}(?:statement|execute [^:]*): (.*(?:\n\t.*)*)/gm

export interface StatementCount {
  readonly total: number
  /** How often each was asked, by its text. */
  readonly byText: ReadonlyMap<string, number>
}

/**
 * What PostgreSQL is asked, statement by statement, out of its own log. The counts of its statistics would not do: each
 * of its processes reports them up to ten seconds later.
 */
export class StatementLog {
  readonly #file: string

  private constructor(file: string) {
    this.#file = file
  }

  /** Makes a PostgreSQL that was started for the bench log every statement. */
  static async begin(sql: Sql): Promise<StatementLog> {
    const [row] = await sql<{ data_directory: string }[]>`show data_directory`
    await sql`alter system set log_line_prefix = '%a|'`
    await sql`alter system set log_statement = 'all'`
    await sql`select pg_reload_conf()`
    const log = new StatementLog(join(dirname(row?.data_directory ?? ''), 'postgres.log'))
    await log.#untilWritten(sql)
    return log
  }

  /** Where the log ends now. */
  async mark(): Promise<number> {
    return (await stat(this.#file)).size
  }

  /** What others than the bench have asked since a mark. */
  async since(mark: number): Promise<StatementCount> {
    return statementsOf(await this.#textSince(mark))
  }

  /** The processes of PostgreSQL heed a setting with their next statement. */
  async #untilWritten(sql: Sql): Promise<void> {
    for (let looks = 0; looks < 100; looks++) {
      const mark = await this.mark()
      await sql`select 1`
      await wait(20)
      if (/select 1/.test(await this.#textSince(mark))) return
    }
    throw new Error(`PostgreSQL does not log what it is asked in ${this.#file}`)
  }

  async #textSince(mark: number): Promise<string> {
    const file = await open(this.#file)
    try {
      const { size } = await file.stat()
      const bytes = Buffer.alloc(Math.max(0, size - mark))
      await file.read(bytes, 0, bytes.length, mark)
      return bytes.toString('utf8')
    } finally {
      await file.close()
    }
  }
}

/** Rows of values, of which there are as many as there is to be written: it is one statement all the same. */
const valueRows = /\((?:\$\d+,?)+\)(?:,\((?:\$\d+,?)+\))*/g

/** What a log with `log_line_prefix = '%a|'` says that others than the bench have asked. */
export function statementsOf(log: string): StatementCount {
  const byText = new Map<string, number>()
  let total = 0
  for (const [, name, text = ''] of log.matchAll(statementLine)) {
    if (name === ownName) continue
    const statement = text.replaceAll(/\s+/g, ' ').replaceAll(valueRows, '(…)').trim()
    byText.set(statement, (byText.get(statement) ?? 0) + 1)
    total++
  }
  return { total, byText }
}
