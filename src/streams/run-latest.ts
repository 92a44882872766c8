import { Observable } from 'rxjs'

/**
 * Runs `work` for each value, one at a time; values that come meanwhile lead to one more run, with the last of them. After
 * unsubscribing none begins.
 */
export function runLatest<T, R>(work: (value: T) => Promise<R>) {
  return (source: Observable<T>): Observable<R> =>
    new Observable<R>((listener) => {
      let busy = false
      let next: { value: T } | undefined
      let completed = false
      const begin = async (value: T): Promise<void> => {
        busy = true
        try {
          listener.next(await work(value))
        } catch (error) {
          listener.error(error)
          return
        }
        busy = false
        const waiting = next
        next = undefined
        if (waiting !== undefined) void begin(waiting.value)
        else if (completed) listener.complete()
      }
      const subscription = source.subscribe({
        next: (value) => {
          if (busy) next = { value }
          else void begin(value)
        },
        error: (error: unknown) => listener.error(error),
        complete: () => {
          completed = true
          if (!busy) listener.complete()
        },
      })
      return () => {
        subscription.unsubscribe()
        next = undefined
      }
    })
}
