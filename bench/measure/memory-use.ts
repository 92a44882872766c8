import { readFileSync } from 'node:fs'

/** Memory of a process that is in the machine's now, in bytes; what its garbage still takes included. Linux only. */
export function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024
}

export interface Memory {
  readonly residentBytes: number
  /** What it alone has written. */
  readonly anonymousBytes: number
  /** What it shares with other processes counted in part. */
  readonly shareBytes: number
}

/** The same, and how it is made up. Linux only. */
export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? Number.NaN) * 1024
  return {
    residentBytes: residentBytesOf(pid),
    anonymousBytes: bytes('Pss_Anon'),
    shareBytes: bytes('Pss'),
  }
}
