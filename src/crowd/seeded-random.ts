/**
 * Chance that can be repeated: the same seed and stream give the same numbers, streams of one seed have nothing to do with
 * each other. SplitMix32: 32 bits of state are plenty for the few dozen numbers of one buyer.
 */
export function seededRandom(seed: number, stream: number): () => number {
  let state = mixed(Math.imul(seed | 0, 0x9e3779b1) ^ mixed(stream | 0))
  return () => {
    state = (state + 0x9e3779b9) | 0
    return mixed(state) / 2 ** 32
  }
}

function mixed(word: number): number {
  let value = word
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
