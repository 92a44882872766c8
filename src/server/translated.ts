import type { Channel } from './channel.ts'
import type { Route, Stream } from './route.ts'

/** Turns an error of a library into one of ours, or gives it back as it is. */
export type Translate = (error: unknown) => unknown

/** The same route, its foreign errors translated: routes stay free of them, and the edge need not know the libraries. */
export function translatedRoute(route: Route, translate: Translate): Route {
  return { ...route, handle: (context) => translated(() => route.handle(context), translate) }
}

export function translatedStream(stream: Stream, translate: Translate): Stream {
  return { ...stream, open: (context, events) => translated(() => stream.open(context, events), translate) }
}

export function translatedChannel(channel: Channel, translate: Translate): Channel {
  return { ...channel, subscribe: (context) => translated(() => channel.subscribe(context), translate) }
}

async function translated<T>(work: () => Promise<T> | T, translate: Translate): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw translate(error)
  }
}
