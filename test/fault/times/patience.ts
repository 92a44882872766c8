import { firstValueFrom, type Observable, throwError, timeout } from 'rxjs'
import { until } from '../../support/until.ts'

/** Longer than anything that is measured; what takes longer is not measured but has failed. */
const patienceMs = 60_000

/** The first value. Rejects with what did not happen where none comes. */
export async function soon<T>(what: string, values: Observable<T>): Promise<T> {
  const failed = () => throwError(() => new Error(`not within ${patienceMs} ms: ${what}`))
  return await firstValueFrom(values.pipe(timeout({ first: patienceMs, with: failed })))
}

/** The first answer that is one. Rejects with what did not happen where none comes. */
export async function found<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  let answer: T | undefined
  await until(what, async () => (answer = await look()) !== undefined, { withinMs: patienceMs })
  return answer as T
}
