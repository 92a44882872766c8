import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The clone, whether the tests run as they are written or compiled, from a folder in it. */
export const projectFolder = folderWithLock(dirname(fileURLToPath(import.meta.url)))

function folderWithLock(folder: string): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : folderWithLock(dirname(folder))
}
