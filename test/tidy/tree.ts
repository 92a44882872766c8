import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { projectFolder as root } from '../support/project-folder.ts'

/** A file of the project, its path relative to the root. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** What a rule has to say about the files; nothing when all is well. Each finding begins with a path. */
export type Rule = (files: readonly SourceFile[]) => readonly string[]

/** Made by tools, or by nobody here. */
const notOurs = new Set([
  '.git',
  '.tap',
  '.tests',
  '.data',
  'node_modules',
  'build',
  'coverage',
  'local',
  'vendor',
])
const written = /\.(ts|mjs|js|lua|sql|json|md|css|html|svg|yml|yaml)$|(^|\/)(\.gitignore|run)$/

/** Every text file that somebody wrote. */
export function readTree(): readonly SourceFile[] {
  return filesBelow(root)
    .map((path) => relative(root, path))
    .filter((path) => written.test(path) && path !== 'package-lock.json')
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** Whether a finding about this file may be left to the test that made it up. */
export function isCode(path: string): boolean {
  return /\.(ts|mjs|js|lua)$/.test(path)
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return isOurs(folder, entry.name) ? filesBelow(join(folder, entry.name)) : []
    return [join(folder, entry.name)]
  })
}

/** `local` is a folder of results below `bench`, and a room of the stores below `src/db`. */
function isOurs(folder: string, name: string): boolean {
  return !notOurs.has(name) || (name === 'local' && relative(root, folder) === 'src/db')
}
