import { ApiError } from '../client/api-error.ts'
import { reasonOf, type BuyerParts } from './buyer.ts'

/** Pauses between two things that one buyer says, in milliseconds. */
const pauseMs = { least: 1_000, most: 8_000 } as const

const openings = [
  '줄이 꽤 기네요',
  '저는 처음 와 봐요',
  'Anybody from the first day here?',
  '오늘 날씨 좋네요',
] as const

/** What a buyer says in the room of the store while standing in its line, and after. Never throws. */
export async function talk({ offer, plan, client, time, random, note, signal }: BuyerParts): Promise<void> {
  const { store, id } = offer.sale
  if (store === null) return
  for (let said = 0; said < plan.says; said++) {
    await time.wait(pauseMs.least + random() * (pauseMs.most - pauseMs.least), signal)
    if (signal.aborted) return
    // No two are alike, so that each can be found again.
    const opening = openings[Math.floor(random() * openings.length)] ?? ''
    const text = `${opening} #${id.slice(-6)}-${Math.floor(random() * 1e12).toString(36)}`
    note({ type: 'say-sent', text })
    const sentMs = time.nowMs()
    try {
      const { seq } = await client.stores.say(store, text, { signal })
      note({ type: 'said', text, seq, tookMs: time.nowMs() - sentMs })
    } catch (error) {
      // That somebody is asked to wait, or the room is closed, is as it should be.
      if (signal.aborted || (error instanceof ApiError && error.status < 500)) continue
      note({ type: 'failed', call: 'say', why: reasonOf(error) })
    }
  }
}
