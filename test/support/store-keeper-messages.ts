import { join, relative } from 'node:path'
import { projectFolder } from './project-folder.ts'

/** Files of the tests' stores; inside the clone, so that runs in two clones do not meet. */
export const keeperFolder = join(projectFolder, '.tap', 'stores')

/** Relative to where we are, as the path of a socket may have some hundred characters at most. */
export const keeperSocket = relative(process.cwd(), join(keeperFolder, 'keeper.sock'))

/** The one line a client sends. */
export interface KeeperRequest {
  /** With all tables, without any, or no database at all. */
  readonly database: 'migrated' | 'empty' | 'none'
}

/** Lines a client receives: any number of `log`, then one of the others. */
export type KeeperMessage =
  | { readonly log: string }
  | { readonly postgresUrl: string; readonly redisBin: string }
  | { readonly error: string }
