import { pino, type Logger } from 'pino'

export type Log = Logger

/** One JSON line an event; secrets never belong in a field. */
export function createLog(options: { level: string }): Log {
  return pino({ level: options.level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime })
}
