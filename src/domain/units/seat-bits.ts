/** Two bits a seat, in base64: seat u is in byte u >> 2, shifted by 2 · (u & 3). */
export function packSeats(states: Uint8Array): string {
  const bytes = new Uint8Array(Math.ceil(states.length / 4))
  states.forEach((state, unitNo) => {
    bytes[unitNo >> 2] = (bytes[unitNo >> 2] ?? 0) | (state << (2 * (unitNo & 3)))
  })
  return Buffer.from(bytes.buffer).toString('base64')
}

/** The other way round. */
export function unpackSeats(text: string, count: number): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  return Uint8Array.from(
    { length: count },
    (_, unitNo) => ((bytes[unitNo >> 2] ?? 0) >> (2 * (unitNo & 3))) & 3,
  )
}
