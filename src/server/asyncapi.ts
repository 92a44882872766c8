import { z } from 'zod'
import type { ErrorDefinition } from '../errors.ts'
import type { Channel } from './channel.ts'
import { closeCodes } from './protocol/close-codes.ts'
import {
  errorFrame,
  eventFrame,
  frameBytesMax,
  framesPerSecondMax,
  okFrame,
  publishFrame,
  subscribeFrame,
  unsubscribeFrame,
} from './protocol/ws-frames.ts'
import type { Auth, Stream } from './route.ts'

export interface AsyncApiSource {
  readonly channels: readonly Channel[]
  readonly streams: readonly Stream[]
  /** Every error there is, of all areas. */
  readonly errors: readonly ErrorDefinition[]
  readonly version: string
  readonly publicUrl?: string
}

/** The AsyncAPI 3.0 document of all that flows: the channels of the WebSocket, its frames, and the event streams. */
export function asyncApiDocument({ channels, streams, version, publicUrl, errors }: AsyncApiSource): object {
  const parts = new Parts()
  const described = [
    ...channels.map((channel) => ({ key: channel.prefix, ...channelOf(channel, parts) })),
    ...streams.map((stream) => ({ key: streamKey(stream), ...streamOf(stream, parts) })),
  ]
  const codes = errors.map(({ code }) => `\`${code}\``).join(', ')
  return {
    asyncapi: '3.0.0',
    info: { title: 'Openrun', version, description: `${description}\n\nCodes of errors: ${codes}.` },
    defaultContentType: 'application/json',
    servers: serversOf(publicUrl),
    channels: Object.fromEntries(described.map(({ key, channel }) => [key, channel])),
    operations: Object.fromEntries(described.flatMap(({ operations }) => Object.entries(operations))),
    components: {
      messages: parts.messages,
      schemas: parts.schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: "An access token, or an organiser's key" },
        cookie: { type: 'httpApiKey', name: 'openrun_session', in: 'cookie' },
      },
    },
    'x-close-codes': Object.values(closeCodes),
  }
}

const closings = Object.values(closeCodes).map(
  ({ code, reason, meaning, client }) => `- ${code} \`${reason}\` (${client}): ${meaning}`,
)

const description = [
  'All channels share one WebSocket at `/ws`, whose frames are JSON texts. A frame of the client that has a `ref` is',
  'answered with it. An event stream carries the name of an event in `event:`, its position in `id:`, and its data, as',
  `JSON, in \`data:\`. A frame has at most ${frameBytesMax} bytes, and a connection sends at most ${framesPerSecondMax} a`,
  'second; whoever goes on beyond it, or keeps sending what is no frame, is closed.\n\nCodes with which the server closes:\n',
  closings.join('\n'),
].join(' ')

function serversOf(publicUrl: string | undefined): object {
  const { host, protocol } = new URL(publicUrl ?? 'http://localhost:3000')
  const isSecure = protocol === 'https:'
  return {
    socket: {
      host,
      protocol: isSecure ? 'wss' : 'ws',
      pathname: '/ws',
      description: 'One connection, many channels',
    },
    streams: {
      host,
      protocol: isSecure ? 'https' : 'http',
      description: 'Server-sent events, one a connection',
    },
  }
}

interface Described {
  readonly channel: object
  readonly operations: Readonly<Record<string, object>>
}

function channelOf(channel: Channel, parts: Parts): Described {
  const { prefix, summary, about, auth } = channel
  const sent = sentOver(channel, parts)
  const taken = takenOver(channel, parts)
  return {
    channel: {
      address: about === undefined ? prefix : `${prefix}:{${about}}`,
      ...(summary !== undefined && { summary }),
      servers: [{ $ref: '#/servers/socket' }],
      ...(about !== undefined && { parameters: parametersOf([about]) }),
      messages: messagesOf([...sent, ...taken]),
    },
    operations: {
      [`${prefix}.send`]: operationOf('send', prefix, sent, auth),
      [`${prefix}.receive`]: operationOf('receive', prefix, taken, auth),
    },
  }
}

function sentOver({ prefix, events }: Channel, parts: Parts): Part[] {
  const frames = Object.entries(events).map(([type, data]) => {
    const payload = eventFrame.extend({ type: z.literal(type), data })
    return parts.message(`${prefix}.${type}`, { name: type, payload })
  })
  return [
    ...frames,
    parts.message('ok', { name: 'ok', payload: okFrame }),
    parts.message('error', { name: 'error', payload: errorFrame }),
  ]
}

function takenOver({ prefix, publishes }: Channel, parts: Parts): Part[] {
  const frames = [
    parts.message('subscribe', { name: 'subscribe', payload: subscribeFrame }),
    parts.message('unsubscribe', { name: 'unsubscribe', payload: unsubscribeFrame }),
  ]
  if (!publishes) return frames
  const payload = publishFrame.extend({ data: publishes })
  return [...frames, parts.message(`${prefix}.publish`, { name: 'publish', payload })]
}

function streamOf(stream: Stream, parts: Parts): Described {
  const key = streamKey(stream)
  const sent = Object.entries(stream.events).map(([type, { schema = z.unknown(), description: title }]) =>
    parts.message(`${key}.${type}`, { name: type, title, payload: schema }),
  )
  const names = [...stream.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  return {
    channel: {
      address: stream.path,
      summary: stream.summary,
      servers: [{ $ref: '#/servers/streams' }],
      ...(names.length > 0 && { parameters: parametersOf(names) }),
      messages: messagesOf(sent),
    },
    operations: { [`${key}.send`]: operationOf('send', key, sent, stream.auth) },
  }
}

function parametersOf(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, { description: `Id of the ${name}` }]))
}

function messagesOf(messages: readonly Part[]): object {
  return Object.fromEntries(messages.map(({ key, ref }) => [key, ref]))
}

/** `/api/v1/sales/{sale}/queue/stream` is `sales.queue.stream`. */
function streamKey({ path }: Stream): string {
  const words = path.split('/').filter((word) => /^[a-z][\w-]*$/i.test(word))
  return words.filter((word) => word !== 'api' && word !== 'v1').join('.')
}

function operationOf(action: 'send' | 'receive', key: string, messages: readonly Part[], auth: Auth): object {
  const channel = `#/channels/${key}`
  return {
    action,
    channel: { $ref: channel },
    security: securityOf[auth].map((scheme) => ({ $ref: `#/components/securitySchemes/${scheme}` })),
    messages: messages.map((message) => ({ $ref: `${channel}/messages/${message.key}` })),
  }
}

const securityOf: Readonly<Record<Auth, readonly string[]>> = {
  nobody: [],
  public: [],
  account: ['bearer', 'cookie'],
  organiser: ['bearer'],
  any: ['bearer', 'cookie'],
}

interface Part {
  readonly key: string
  readonly ref: { readonly $ref: string }
}

/** What stands in `components`: messages by their key, and the schemas that have a name of their own. */
class Parts {
  readonly messages: Record<string, object> = {}
  readonly schemas: Record<string, unknown> = {}

  message(key: string, message: { name: string; title?: string; payload: z.ZodType }): Part {
    this.messages[key] = { ...message, payload: this.#schemaOf(message.payload) }
    return { key, ref: { $ref: `#/components/messages/${key}` } }
  }

  #schemaOf(schema: z.ZodType): unknown {
    const { $schema: _, definitions, ...rest } = z.toJSONSchema(schema, { target: 'draft-7' })
    const moved = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value).replaceAll('#/definitions/', '#/components/schemas/'))
    for (const [name, definition] of Object.entries(definitions ?? {})) this.schemas[name] = moved(definition)
    return moved(rest)
  }
}
