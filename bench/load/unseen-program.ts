import { serveParent } from '../stage/helper-process.ts'
import { drive, eachOf } from './drive.ts'
import { requestText } from './http-connection.ts'
import type { UnseenCalls } from './unseen-calls.ts'

/* A crowd that is given its tokens and shows each of them once. */

serveParent<UnseenCalls>({
  join: async ({ sales, tokens, perSale, ...target }) => {
    const requests = tokens.map((token, index) => {
      const line = `POST /api/v1/sales/${sales[Math.floor(index / perSale)] ?? ''}/queue`
      return requestText(line, { Authorization: `Bearer ${token}` }, '{}')
    })
    return await drive<string>({
      ...target,
      next: eachOf(requests),
      work: async (send, request) => void (await send(request)),
    })
  },
})
