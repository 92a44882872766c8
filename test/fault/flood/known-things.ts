import { at } from '../../support/contract.ts'
import { oneOf, type Random } from './chance.ts'
import type { Heard } from './kept-connection.ts'
import type { FloodRequest } from './request-maker.ts'

const keptMax = 30

/** What earlier answers have named, so that requests that follow may succeed. */
export class KnownThings {
  readonly #lists = new Map<string, string[]>()

  add(name: string, ...values: readonly unknown[]): void {
    const list = this.#lists.get(name) ?? []
    for (const value of values)
      if ((typeof value === 'string' || typeof value === 'number') && list.at(-1) !== String(value))
        list.push(String(value))
    if (list.length > keptMax) list.splice(0, list.length - keptMax)
    this.#lists.set(name, list)
  }

  oneOf(name: string, random: Random): string | undefined {
    const list = this.#lists.get(name)
    if (list === undefined || list.length === 0) return undefined
    // What is old may well be over.
    return random() < 0.8 ? list.at(-1) : oneOf(list, random)
  }

  /** Of what is an account's own, and of what everybody may name. */
  idFor(name: string, caller: string, random: Random): string | undefined {
    return this.oneOf(`${name} of ${caller}`, random) ?? this.oneOf(name, random)
  }

  learn({ call, method, sender, sale }: FloodRequest, { status, head, body: bytes }: Heard): void {
    if (status < 200 || status > 299 || !call.startsWith(`${method} `) || !teachers.test(call)) return
    // A ticket may be a picture.
    if (!head.includes('application/json')) return
    const body: unknown = JSON.parse(bytes.toString())
    const caller = sender.name
    const path = call.split(' ')[1] ?? ''
    if (path.endsWith('/holds') && method === 'POST') this.add(`hold of ${caller}`, at(body, 'hold.id'))
    if (path.endsWith('/orders') || path.endsWith('/bookings')) {
      this.add(`order of ${caller}`, at(body, 'order.id'))
      this.add(`booking of ${caller}`, at(body, 'order.bookings.0.id'))
    }
    if (path.includes('/queue')) this.add(`purchase token of ${caller} at ${sale}`, at(body, 'purchaseToken'))
    if (path.endsWith('/ticket')) this.add('code', at(body, 'code'))
    if (path.endsWith('/pictures')) this.add('picture', at(body, 'id'))
    if (path.endsWith('/messages') && method === 'POST') {
      this.add('seq', at(body, 'seq'))
      this.add('member', at(body, 'member.id'))
    }
  }
}

/** Calls whose answers are worth reading. */
const teachers = /^POST \S+\/(holds|orders|bookings|queue|pictures|messages)$|^GET \S+\/(queue\/me|ticket)$/
