import { createHash, randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { processStart } from './process-start.ts'

export interface FolderLock {
  release(): Promise<void>
}

/**
 * Takes the lock that the file stands for, or answers with the process that holds it. A lock ends with its
 * process, also when that was killed: the file names the process and when it began, and a file whose process is
 * gone counts for nothing.
 *
 * No step of a file system replaces a file only if it is still the one that was read. So whoever finds a dead lock
 * first makes the file named after its content, which only one can do, and is the holder from then on; it moves
 * its own lock to the front before it clears the claim away, which is why a latecomer has to look once more.
 */
export async function takeLock(file: string): Promise<FolderLock | { readonly heldBy: number }> {
  const nonce = randomUUID()
  const draft = `${file}.${nonce}`
  await writeFile(draft, JSON.stringify({ pid: process.pid, start: processStart(process.pid), nonce }))
  const lock = { release: () => rm(file, { force: true }) }
  try {
    for (;;) {
      if (await linked(draft, file)) return lock
      const first = await contentOf(file)
      if (first === undefined) continue
      const { last, claims, next } = await followed(file, first)
      const holder = holderOf(last)
      if (holder !== undefined) return { heldBy: holder }
      if (!(await linked(draft, next))) continue
      const isCurrent = (await contentOf(file)) === first
      if (isCurrent) await rename(draft, file)
      for (const claim of isCurrent ? [...claims, next] : [next]) await rm(claim, { force: true })
      if (isCurrent) return lock
    }
  } finally {
    await rm(draft, { force: true })
  }
}

/** The claims on a dead lock, and on each other when claimants died: the last one counts. */
async function followed(
  file: string,
  first: string,
): Promise<{ last: string; claims: string[]; next: string }> {
  const claims: string[] = []
  for (let last = first; ;) {
    const next = `${file}.${createHash('sha256').update(last).digest('hex').slice(0, 32)}`
    const content = await contentOf(next)
    if (content === undefined) return { last, claims, next }
    claims.push(next)
    last = content
  }
}

function holderOf(text: string): number | undefined {
  try {
    const { pid, start } = JSON.parse(text) as { pid: number; start: string }
    return processStart(pid) === start ? pid : undefined
  } catch {
    return undefined
  }
}

function contentOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}

/** Gives the file a second name, whole and at once; false when that name is taken. */
async function linked(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
