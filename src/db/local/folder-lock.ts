import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { processStart } from './process-start.ts'

export interface FolderLock {
  release(): Promise<void>
}

/**
 * Takes the lock that the file stands for, or answers with the process that holds it. A lock ends with its
 * process, also when that was killed: the file names the process and when it began, and a file whose process is
 * gone counts for nothing.
 */
export async function takeLock(file: string): Promise<FolderLock | { readonly heldBy: number }> {
  const mine = JSON.stringify({ pid: process.pid, start: processStart(process.pid) })
  const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`
  await writeFile(draft, mine, { mode: 0o644 })
  try {
    for (;;) {
      // A link appears whole or not at all, and never replaces one that stands.
      if (await done(link(draft, file), 'EEXIST')) return { release: () => rm(file, { force: true }) }
      const found = await readFile(file, 'utf8').catch(() => undefined)
      const holder = found === undefined ? undefined : holderOf(found)
      if (holder !== undefined) return { heldBy: holder }
      if (found !== undefined) await putAside(file, found, `${draft}.old`)
    }
  } finally {
    await rm(draft, { force: true })
  }
}

/** Moves a dead lock out of the way; one that somebody took in the meantime is put back. */
async function putAside(file: string, expected: string, aside: string): Promise<void> {
  if (!(await done(rename(file, aside), 'ENOENT'))) return
  if ((await readFile(aside, 'utf8')) !== expected) await done(link(aside, file), 'EEXIST')
  await rm(aside)
}

function holderOf(text: string): number | undefined {
  try {
    const { pid, start } = JSON.parse(text) as { pid: number; start: string }
    return processStart(pid) === start ? pid : undefined
  } catch {
    return undefined
  }
}

async function done(step: Promise<void>, expected: 'EEXIST' | 'ENOENT'): Promise<boolean> {
  try {
    await step
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === expected) return false
    throw error
  }
}
