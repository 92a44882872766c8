import type { Contract, Operation } from '../../support/contract.ts'
import { examples, strangers } from '../../support/examples.ts'
import { mutationsOf } from '../../support/mutations.ts'
import { damaged, oneOf, someText, type Random } from './chance.ts'
import type { KnownThings } from './known-things.ts'

/** Who sends requests: a name that the things they own are known by, and a token. */
export interface Sender {
  readonly name: string
  readonly token: string
}

export interface FloodRequest {
  /** Method and path as the document has them. */
  readonly call: string
  /** As sent, which may be another than that of the call. */
  readonly method: string
  readonly url: string
  /** A part of the path is empty, so that it may be no address of the document. */
  readonly isOffTheMap: boolean
  readonly sender: Sender
  readonly sale: string
  readonly bytes: Buffer
}

interface Plan {
  readonly call: string
  readonly method: string
  readonly path: string
  readonly operation: Operation
  readonly names: readonly string[]
  readonly queries: readonly string[]
  readonly headers: ReadonlySet<string>
  readonly isForOrganisers: boolean
  readonly isStream: boolean
  readonly good: readonly string[]
  readonly bad: readonly string[]
}

interface Body {
  readonly type: string
  readonly bytes: Buffer
}

export interface MakerParts {
  readonly contract: Contract
  readonly known: KnownThings
  readonly buyers: readonly Sender[]
  readonly organiser: Sender
  readonly picture: Buffer
}

/** Makes requests to every operation of the document: some that may well succeed, most with something wrong. */
export class RequestMaker {
  readonly #parts: MakerParts
  /** Each as often as it is to be asked. */
  readonly #plans: readonly Plan[]
  readonly #tokens: readonly string[]
  /** Those who send what is odd. */
  readonly #careless: readonly Sender[]
  /** Those who send nothing but what may well succeed: what they have lasts long enough for a next step. */
  readonly #steady: readonly Sender[]

  constructor(parts: MakerParts) {
    this.#parts = parts
    this.#plans = parts.contract.operations.flatMap((operation) => {
      const plan = planOf(operation)
      return Array.from({ length: shareOf(plan) }, () => plan)
    })
    const half = Math.ceil(parts.buyers.length / 2)
    this.#careless = parts.buyers.slice(0, half)
    this.#steady = parts.buyers.slice(half)
    const [first, second] = this.#careless
    const garbled = `${first?.token.slice(0, -3)}AAA`
    this.#tokens = [first?.token ?? '', second?.token ?? '', parts.organiser.token, garbled, 'nope', '']
  }

  next(random: Random): FloodRequest {
    const plan = oneOf(this.#plans, random)
    return random() < 0.08 ? this.#sensible(plan, random) : this.#odd(plan, random)
  }

  #sensible(plan: Plan, random: Random): FloodRequest {
    const { known, organiser } = this.#parts
    const sender = plan.isForOrganisers || random() < 0.1 ? organiser : oneOf(this.#steady, random)
    const idOf = (name: string): string =>
      known.idFor(name, sender.name, random) ?? usual[name] ?? strangers[name] ?? '1'
    const ids = plan.names.map(idOf)
    const body = this.#sensibleBody(plan, { sender, random })
    const sale = ids[plan.names.indexOf('sale')] ?? ''
    const token = known.oneOf(`purchase token of ${sender.name} at ${sale}`, random)
    const headers = [
      `Authorization: Bearer ${sender.token}`,
      ...(plan.headers.has('purchase-token') && token !== undefined ? [`Purchase-Token: ${token}`] : []),
      // What stays for good is made only once for each body.
      ...(/^POST \S+\/(sales|stores)$/.test(plan.call) ? ['Idempotency-Key: once'] : []),
    ]
    const url = filled(plan, ids) + (plan.call.endsWith('/pictures') ? '?alt=A%20door' : '')
    return {
      ...framed({ plan, method: plan.method, url, headers, body, random }),
      sender,
      sale,
      isOffTheMap: false,
    }
  }

  #sensibleBody(plan: Plan, by: { sender: Sender; random: Random }): Body | undefined {
    const { known, picture } = this.#parts
    const { sender, random } = by
    if (plan.call.endsWith('/pictures')) return { type: 'image/png', bytes: picture }
    const own: Readonly<Record<string, () => unknown>> = {
      'POST /api/v1/orders': () => ({
        hold: known.oneOf(`hold of ${sender.name}`, random),
        ...(random() < 0.5 && { payment: { method: 'sandbox_approve' } }),
      }),
      'PUT /api/v1/stores/{store}/messages/pinned': () => ({ seq: Number(known.oneOf('seq', random) ?? 1) }),
      'POST /api/v1/checkin': () => ({ code: known.oneOf('code', random) }),
      'PATCH /api/v1/stores/{store}/room': () => ({ closed: random() < 0.2, slowSeconds: 0 }),
      'POST /api/v1/sales/{sale}/queue': () => ({}),
      'POST /api/v1/sales/{sale}/holds': () => ({ best: { count: 1 } }),
      'POST /api/v1/sales/{sale}/bookings': () => ({ best: { count: 1 } }),
      'POST /api/v1/stores/{store}/messages': () => ({ text: `Hello ${random()}` }),
    }
    const text = JSON.stringify(own[plan.call]?.()) ?? oneOf(plan.good, random)
    return text === undefined ? undefined : { type: 'application/json', bytes: Buffer.from(text) }
  }

  #odd(plan: Plan, random: Random): FloodRequest {
    const { known } = this.#parts
    const sender = oneOf(this.#careless, random)
    const idOf = (name: string): string => {
      const chance = random()
      const id = chance < 0.25 ? known.idFor(name, sender.name, random) : undefined
      return id ?? (chance < 0.8 ? (usual[name] ?? strangers[name] ?? '1') : someText(random))
    }
    const ids = plan.names.map(idOf)
    const sale = ids[plan.names.indexOf('sale')] ?? ''
    const token = random() < 0.5 ? known.oneOf(`purchase token of ${sender.name} at ${sale}`, random) : 'nope'
    const headers = [
      `Authorization: Bearer ${random() < 0.3 ? sender.token : oneOf(this.#tokens, random)}`,
      ...(random() < 0.3 && token !== undefined ? [`Purchase-Token: ${token}`] : []),
      ...(random() < 0.1 ? [`Idempotency-Key: ${oneOf(['a', 'b', 'k'.repeat(256)], random)}`] : []),
      ...(random() < 0.05 ? [`If-None-Match: ${oneOf(['*', '"x"', ',,'], random)}`] : []),
      ...(random() < 0.05
        ? [`Accept: ${oneOf(['image/png', 'image/svg+xml', '*/*;q=x', ','], random)}`]
        : []),
      ...(random() < 0.02 ? ['Origin: https://evil.example'] : []),
    ]
    const isOffTheMap = ids.includes('')
    const path = random() < 0.03 ? plan.path.replaceAll(/\{\w+\}/g, '%zz') : filled(plan, ids)
    const url = path + someQuery(plan, random)
    const request = {
      plan,
      method: someMethod(plan, random),
      url,
      headers,
      body: oddBody(plan, random),
      random,
    }
    return { ...framed(request), sender, sale, isOffTheMap }
  }
}

/** Names of what is there without having been made. */
const usual: Readonly<Record<string, string>> = { unit: 'A-01-01' }

function planOf({ method, path, operation }: Contract['operations'][number]): Plan {
  const call = `${method} ${path}`
  const of = (where: string) =>
    (operation.parameters ?? []).filter((parameter) => parameter.in === where).map(({ name }) => name)
  const good = examples()[call] ?? []
  const bad = good.flatMap((example) => mutationsOf(example).map(({ value }) => JSON.stringify(value)))
  return {
    call,
    method,
    path,
    operation,
    names: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
    queries: ['x', ...of('query')],
    headers: new Set(of('header')),
    isForOrganisers: operation.security?.length === 1,
    isStream: path.endsWith('/stream'),
    good: good.map((example) => JSON.stringify(example)),
    bad: good.length === 0 ? [] : [...bad, JSON.stringify({ big: 'x'.repeat(70_000) })],
  }
}

/** In tenths: where nothing is taken, little can be wrong; what stays for good, and a stream, costs the server long. */
function shareOf({ names, queries, operation, call, isStream }: Plan): number {
  const takesNothing = names.length === 0 && queries.length === 1 && operation.requestBody === undefined
  if (takesNothing) return 1
  return isStream || /^POST \S+\/(sales|stores|pictures)$/.test(call) ? 3 : 10
}

function filled({ path, names }: Plan, ids: readonly string[]): string {
  return names.reduce(
    (text, name, index) => text.replace(`{${name}}`, () => encodeURIComponent(ids[index] ?? '')),
    path,
  )
}

function someQuery({ queries }: Plan, random: Random): string {
  let text = ''
  for (let left = Math.floor(random() * 3); left > 0; left--)
    text += `${text === '' ? '?' : '&'}${oneOf(queries, random)}=${encodeURIComponent(someText(random))}`
  return text
}

function someMethod({ method, isStream }: Plan, random: Random): string {
  const chance = random()
  if (chance < 0.97) return method
  if (chance < 0.98) return 'BREW'
  if (chance < 0.99) return 'OPTIONS'
  return method === 'GET' && !isStream ? 'HEAD' : method
}

function oddBody({ good, bad, operation }: Plan, random: Random): Body | undefined {
  const type = random() < 0.97 ? 'application/json' : 'text/plain'
  if (good.length === 0) {
    const types = Object.keys(operation.requestBody?.content ?? {})
    const isWanted = types.length > 0 || random() < 0.05
    return isWanted
      ? { type: oneOf([...types, type], random), bytes: Buffer.from(someText(random)) }
      : undefined
  }
  const text = random() < 0.1 ? oneOf(good, random) : oneOf(bad, random)
  return { type, bytes: Buffer.from(random() < 0.85 ? text : damaged(text, random)) }
}

interface Framing {
  readonly plan: Plan
  readonly method: string
  readonly url: string
  readonly headers: readonly string[]
  readonly body: Body | undefined
  readonly random: Random
}

/** The bytes of a request, well framed whatever stands in it. */
function framed({ plan, method, url, headers, body, random }: Framing) {
  const isChunked = body !== undefined && body.bytes.length > 0 && random() < 0.05
  const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body?.bytes.length ?? 0}`
  const lines = [
    `${method} ${url} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...headers,
    ...(body === undefined ? [] : [`Content-Type: ${body.type}`]),
    ...(body === undefined && plan.method === 'GET' ? [] : [length]),
  ]
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  const bytes = Buffer.concat([head, ...(isChunked ? chunksOf(body.bytes) : body ? [body.bytes] : [])])
  return { call: plan.call, method, url, bytes }
}

function chunksOf(bytes: Buffer): Buffer[] {
  const half = Math.ceil(bytes.length / 2)
  const chunk = (part: Buffer): Buffer[] =>
    part.length === 0 ? [] : [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]
  return [...chunk(bytes.subarray(0, half)), ...chunk(bytes.subarray(half)), Buffer.from('0\r\n\r\n')]
}
