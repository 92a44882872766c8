import { readFileSync } from 'node:fs'

/** Memory of a process that is in the machine's now, in bytes; what its garbage still takes included. Linux only. */
export function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024
}
