import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Window } from './turn.ts'

interface Profile {
  readonly nodes: readonly ProfileNode[]
  /** The node that ran at each sample. */
  readonly samples: readonly number[]
  /** Microseconds since the sample before, the first one since the start. */
  readonly timeDeltas: readonly number[]
  /** In microseconds of the machine's monotonic clock. */
  readonly startTime: number
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

const topCount = 30

/** Where the server's main thread spent the windows of each name: the functions with the most time of their own. */
export async function profileLines(folder: string, windows: readonly Window[]): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile')).toSorted()
  const newest = names.at(-1)
  if (newest === undefined) return ['no profile was left']
  const profile = JSON.parse(await readFile(join(folder, newest), 'utf8')) as Profile
  const lines: string[] = ['', `profile: ${join(folder, newest)}`]
  for (const name of new Set(windows.map((window) => window.name))) {
    const used = timeIn(
      profile,
      windows.filter((window) => window.name === name),
    )
    const total = [...used.values()].reduce((sum, micros) => sum + micros, 0)
    const top = [...used].toSorted(([, a], [, b]) => b - a).slice(0, topCount)
    lines.push(`  ${name}: ${Math.round(total / 1000)} ms`)
    for (const [where, micros] of top)
      lines.push(`    ${((100 * micros) / total).toFixed(1).padStart(5)} %  ${where}`)
  }
  return lines
}

function timeIn(profile: Profile, windows: readonly Window[]): Map<string, number> {
  const frames = new Map(profile.nodes.map((node) => [node.id, placeOf(node)]))
  const used = new Map<string, number>()
  let atMicros = profile.startTime
  for (const [index, sample] of profile.samples.entries()) {
    // A sample stands for the time until the next one.
    const lasted = profile.timeDeltas[index + 1] ?? 0
    atMicros += profile.timeDeltas[index] ?? 0
    if (!windows.some(({ fromMicros, toMicros }) => atMicros >= fromMicros && atMicros < toMicros)) continue
    const frame = frames.get(sample) ?? 'unknown'
    used.set(frame, (used.get(frame) ?? 0) + lasted)
  }
  return used
}

function placeOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.replace(/^.*\/(?=node_modules\/|build\/)/, '')
  return `${functionName || '(anonymous)'}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`
}
