import { z } from 'zod'
import type { Sql } from '../../db/postgres.ts'
import { chatEntry, chatPage, chatQuery, chatTalkBody } from '../../domain/chat/chat-messages.ts'
import { readChatHistory } from '../../domain/chat/chat-store.ts'
import { storeErrors } from '../../domain/stores/store-errors.ts'
import { isStoreId } from '../../domain/stores/store-messages.ts'
import { generalErrors, Problem } from '../../errors.ts'
import type { ChatTalking } from '../../streams/chat-talking.ts'
import { defineRoute, type Route } from '../route.ts'
import { talkErrors } from './chat-channel.ts'

export interface ChatRoutesParts {
  readonly sql: Sql
  readonly talking: Pick<ChatTalking, 'talk' | 'announce'>
}

const tag = 'Chat'
const path = '/api/v1/stores/{store}/messages'
const params = z.object({ store: z.string().describe('Id of a store, such as `sto_…`.') })

export function chatRoutes(parts: ChatRoutesParts): Route[] {
  return [historyRoute(parts), talkRoute(parts)]
}

const historyRoute = ({ sql }: ChatRoutesParts) =>
  defineRoute({
    method: 'GET',
    path,
    summary: 'What was said in the room of a store, newest first',
    description: 'With `q` a page looks at a few thousand entries at most: go on with `next` for older ones.',
    tag,
    auth: 'public',
    params,
    query: chatQuery,
    responses: { 200: { description: 'A page of entries', schema: chatPage } },
    errors: [storeErrors.no_such_store, generalErrors.invalid_request],
    async handle({ params: { store }, query }) {
      if (!isStoreId(store)) throw new Problem(storeErrors.no_such_store)
      return { status: 200, body: await readChatHistory(sql, store, query) }
    },
  })

const talkRoute = ({ talking }: ChatRoutesParts) =>
  defineRoute({
    method: 'POST',
    path,
    summary: 'Say something in the room of a store',
    description: 'The organiser says it as such, or with `notice` as a notice.',
    tag,
    auth: 'any',
    params,
    body: chatTalkBody,
    responses: { 201: { description: 'It stands in the room', schema: chatEntry } },
    errors: [...talkErrors, generalErrors.forbidden, generalErrors.invalid_request],
    idempotent: true,
    async handle({ params: { store: storeId }, body, caller, newId, isRepeatable }) {
      if (!isStoreId(storeId)) throw new Problem(storeErrors.no_such_store)
      const { notice, ...said } = body
      const talk = { storeId, ...said, id: isRepeatable ? newId('msg') : undefined }
      if (caller.kind === 'organiser') {
        const entry = await talking.announce(caller.organiserId, talk, notice ? 'notice' : 'talk')
        return { status: 201, body: entry }
      }
      if (notice) throw new Problem(generalErrors.forbidden)
      return { status: 201, body: await talking.talk(caller.accountId, talk) }
    },
  })
