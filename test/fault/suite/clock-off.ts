import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * The environment in which a process takes it for another o'clock than it is. It is preloaded and not put before the
 * program, since `faketime` itself would stay in between and take the signals.
 * @param by as `faketime` reads it, such as `+1h`
 */
export async function clockOff(by: string): Promise<Readonly<Record<string, string>>> {
  const asked = promisify(execFile)('faketime', ['-m', '-f', by, 'printenv', 'LD_PRELOAD'])
  const { stdout } = await asked.catch((cause: unknown) => {
    throw new Error('faketime is needed to set clocks: apt-get install faketime', { cause })
  })
  // Only what o'clock it is: a clock that is set leaves the one that runs alone.
  return { LD_PRELOAD: stdout.trim(), FAKETIME: by, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
}
