import { BareWebSocket } from './bare-web-socket.ts'
import type { Random } from './chance.ts'
import type { FrameJudge } from './frame-judge.ts'
import type { FloodFrame, FrameMaker } from './frame-maker.ts'

/** As many as the server takes of a connection at once. */
const burst = 18
const patienceMs = 60_000

/**
 * One connection with a burst of frames, and a last one by which it is known that all were handled. Resolves with how
 * many were: where the server closes the connection before, only those that it answered count.
 */
export async function talk(
  parts: {
    readonly port: number
    readonly token: string
    readonly maker: FrameMaker
    readonly judge: FrameJudge
  },
  random: Random,
): Promise<number> {
  const { port, token, maker, judge } = parts
  // Now and then more than the server takes, which it ends with.
  const count = random() < 0.02 ? 60 : burst
  const first = random() < 0.3 ? maker.subscriptions(random) : []
  const others = Array.from({ length: count - first.length }, (_, index) =>
    maker.next(first.length + index, random),
  )
  const frames = [...first, ...others]
  const marker: FloodFrame = {
    payload: Buffer.from(JSON.stringify({ op: 'unsubscribe', ch: 'me', ref: 'all' })),
    isBinary: false,
  }
  const waitsFor = new Set<unknown>(['all'])
  for (const [ref, { asks }] of frames.entries()) if (asks !== undefined) waitsFor.add(ref)
  const leavesPolitely = random() < 0.7
  let answered = 0
  return await new Promise((resolve, reject) => {
    const patience = setTimeout(() => {
      const unanswered = frames.filter((_, ref) => waitsFor.has(ref)).map(({ payload }) => payload.toString())
      fail(new Error(`never answered: ${unanswered.join('\n').slice(0, 2000)}`))
    }, patienceMs)
    const done = (handled: number): void => {
      clearTimeout(patience)
      resolve(handled)
    }
    const fail = (error: unknown): void => {
      clearTimeout(patience)
      socket.destroy()
      reject(error as Error)
    }
    const onText = (text: string): void => {
      const frame = JSON.parse(text) as Record<string, unknown>
      const { ref, ch } = frame
      judge.judge(frame, typeof ref === 'number' ? frames[ref]?.asks : undefined)
      if (typeof ch === 'string') return
      answered++
      waitsFor.delete(ref)
      if (waitsFor.size > 0) return
      if (leavesPolitely) socket.close()
      else socket.destroy()
    }
    const socket = new BareWebSocket(port, token, {
      onOpen: () => socket.send([...frames, marker]),
      onText: (text) => attempt(() => onText(text), fail),
      onEnd: (code) =>
        attempt(() => {
          judge.end(code)
          done(waitsFor.has('all') ? answered : count + 1)
        }, fail),
    })
  })
}

function attempt(work: () => void, onFailure: (error: unknown) => void): void {
  try {
    work()
  } catch (error) {
    onFailure(error)
  }
}
