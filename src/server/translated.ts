import type { Channel } from './channel.ts'
import type { IdempotencyStore } from './idempotency.ts'
import type { Route, Stream } from './route.ts'
import type { Authenticator } from './session.ts'

/** Turns an error of a library into one of ours, or gives it back as it is. */
export type Translate = (error: unknown) => unknown

/** The same route, its foreign errors translated: routes stay free of them, and the edge need not know the libraries. */
export function translatedRoute(route: Route, translate: Translate): Route {
  const rethrow = (error: unknown): never => {
    throw translate(error)
  }
  // Every request comes through here, so no more is made for it than one promise.
  const handle: Route['handle'] = (context) => {
    try {
      const reply = route.handle(context)
      return reply instanceof Promise ? reply.catch(rethrow) : reply
    } catch (error) {
      return rethrow(error)
    }
  }
  return { ...route, handle }
}

export function translatedStream(stream: Stream, translate: Translate): Stream {
  return { ...stream, open: (context, events) => translated(() => stream.open(context, events), translate) }
}

export function translatedChannel(channel: Channel, translate: Translate): Channel {
  return {
    ...channel,
    subscribe: (context) => translated(() => channel.subscribe(context), translate),
    ...(channel.publish && {
      publish: (context) => translated(() => channel.publish?.(context), translate),
    }),
  }
}

export function translatedAuthenticator(authenticator: Authenticator, translate: Translate): Authenticator {
  return {
    authenticate: (bearer) => {
      const caller = authenticator.authenticate(bearer)
      // A token met before is known at once: no promise is made of it.
      return caller instanceof Promise ? translated(() => caller, translate) : caller
    },
  }
}

export function translatedIdempotency(store: IdempotencyStore, translate: Translate): IdempotencyStore {
  return {
    begin: (request) => translated(() => store.begin(request), translate),
    finish: (request, answer) => translated(() => store.finish(request, answer), translate),
    abandon: (request) => translated(() => store.abandon(request), translate),
  }
}

async function translated<T>(work: () => Promise<T> | T, translate: Translate): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw translate(error)
  }
}
