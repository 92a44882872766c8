import { Batcher } from '../../db/batcher.ts'
import { isPostgresAway, sqlState, type Sql, type TransactionSql } from '../../db/postgres.ts'
import { transaction } from '../../db/transaction.ts'
import { commitDrafts, type ChatCommit, type RoomNews } from './chat-commit.ts'
import { entryOf, type ChatRow } from './chat-entry.ts'
import type { ChatDraft } from './chat-ledger.ts'
import type { ChatEntriesNotice, ChatEntry } from './chat-messages.ts'

export interface ChatWritingOptions {
  readonly sql: Sql
  /** Told of what is on disk, in the order of each room. */
  readonly onWritten: (storeId: string, notice: ChatEntriesNotice) => void
}

/** Entries in one transaction at the most. */
const batchMax = 256
/** Entries that may wait; one more is refused with `unavailable`. */
const queueMax = 5_000

/** Writes what is said and done in all rooms, group by group. What it resolves to is on disk. */
export class ChatWriting {
  readonly #batcher: Batcher<ChatDraft, ChatRow | undefined>

  constructor({ sql, onWritten }: ChatWritingOptions) {
    this.#batcher = new Batcher({
      run: async (drafts) => {
        const { fates, told } = await commit(sql, drafts)
        for (const news of told) onWritten(news.storeId, noticeOf(news))
        return fates
      },
      batchMax,
      queueMax,
      aloneAfter: (error) => !isPostgresAway(error),
    })
  }

  /** The entry, or the one that stands since the same id was asked for; undefined where nothing had to change. */
  async write(draft: ChatDraft): Promise<ChatEntry | undefined> {
    const row = await this.#batcher.add(draft)
    return row && entryOf(row)
  }
}

/** A connection that is lost at the commit leaves open whether it was: asked again, what stands is found by its id. */
async function commit(sql: Sql, drafts: readonly ChatDraft[]): Promise<ChatCommit> {
  const work = (tx: TransactionSql) => commitDrafts(tx, drafts)
  try {
    return await transaction(sql, work)
  } catch (error) {
    if (!/^CONNECTION|^ECONN|^EPIPE/.test(sqlState(error) ?? '')) throw error
    return await transaction(sql, work)
  }
}

function noticeOf({ epoch, prev, rows }: RoomNews): ChatEntriesNotice {
  return { type: 'entries', epoch, prev, seq: prev + rows.length, entries: rows.map(entryOf) }
}
