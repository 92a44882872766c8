/** Of notices so many are lost, so many come twice, and so many come later than the next. */
const shares = { lost: 0.15, twice: 0.15, late: 0.15 }

/** How each notice of a channel begins in the protocol of Redis. */
const noticeHead = '*3\r\n$7\r\nmessage\r\n'

/**
 * Loses, repeats and turns round what Redis tells those who subscribed. Only pieces that are whole notices are touched, so
 * every answer stays what it was.
 */
export function garbledNotices(random: () => number): (bytes: Buffer) => Buffer {
  let late: Buffer | undefined
  return (bytes) => {
    const notices = noticesIn(bytes)
    if (notices === undefined) return bytes
    const told: Buffer[] = []
    for (const notice of notices) {
      const chance = random()
      if (chance < shares.lost) continue
      if (chance < shares.lost + shares.twice) told.push(notice)
      if (chance > 1 - shares.late && late === undefined) late = notice
      else told.push(notice)
      if (late !== undefined && late !== notice) {
        told.push(late)
        late = undefined
      }
    }
    return Buffer.concat(told)
  }
}

/** Undefined where it is anything else, or begins or ends in the middle of one. */
function noticesIn(bytes: Buffer): Buffer[] | undefined {
  const notices: Buffer[] = []
  for (let from = 0; from < bytes.length;) {
    const to = endOfNotice(bytes, from)
    if (to === undefined || to > bytes.length) return undefined
    notices.push(bytes.subarray(from, to))
    from = to
  }
  return notices
}

function endOfNotice(bytes: Buffer, from: number): number | undefined {
  if (bytes.toString('latin1', from, from + noticeHead.length) !== noticeHead) return undefined
  const channelEnd = endOfString(bytes, from + noticeHead.length)
  return channelEnd === undefined ? undefined : endOfString(bytes, channelEnd)
}

/** `$<length>\\r\\n<bytes>\\r\\n` */
function endOfString(bytes: Buffer, from: number): number | undefined {
  const lineEnd = bytes.indexOf('\r\n', from)
  if (bytes[from] !== 0x24 || lineEnd < 0) return undefined
  return lineEnd + 2 + Number(bytes.toString('latin1', from + 1, lineEnd)) + 2
}
