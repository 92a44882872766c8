import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { HelperProcess, type Calls } from './helper-process.ts'

const folder = new URL('../peers/', import.meta.url)

/**
 * Starts a program of `peers/`. What peers are built on is no part of the product: it is installed when a peer is first
 * asked for.
 */
export function startPeer<C extends Calls>(file: string): HelperProcess<C> {
  if (!existsSync(new URL('node_modules', folder)))
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: fileURLToPath(folder), stdio: 'ignore' })
  return new HelperProcess<C>(new URL(file, folder))
}
