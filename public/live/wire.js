/**
 * A wire carries channels: a WebSocket, or where that does not get through, a stream of events for each channel.
 *
 * @typedef {object} Wire
 * @property {(ch: string, how: Beginning) => void} subscribe
 * @property {(ch: string) => void} unsubscribe
 * @property {(ch: string, data: unknown) => void} say
 * @property {() => void} check asks for a sign of life; a wire that gives none is closed
 * @property {() => void} close nothing is told any more
 *
 * @typedef {object} Beginning
 * @property {string | undefined} since resumes after this id
 * @property {unknown} said what the channel is told right away; undefined is nothing
 *
 * @typedef {object} WireEvents
 * @property {() => void} onOpen
 * @property {(ch: string) => void} onTaken the server has taken the subscription
 * @property {(ch: string, event: import('./event-stream.js').LiveEvent) => void} onEvent
 * @property {(ch: string, problem: import('./problem.js').Problem) => void} onRefused
 * @property {(end: { isFinal: boolean, wasOpen: boolean }) => void} onClosed once; `isFinal`: the server does not want us back
 *
 * @typedef {object} Timers
 * @property {() => number} nowMs
 * @property {(work: () => void, ms: number) => (() => void)} after returns what calls it off
 */

export {}
