import { Parser } from '@asyncapi/parser'
import t from 'tap'
import { queueEvents } from '../../src/domain/queue/queue-messages.ts'
import { useApp } from '../support/app.ts'
import { LiveContract, type LiveDocument } from '../support/live-contract.ts'

const app = await useApp(t)
const text = (await app.callFreely('GET', '/asyncapi.json')).bytes.toString()
const described = JSON.parse(text) as LiveDocument

t.test(
  'the document of the whole server is one that tools for AsyncAPI read without complaint',
  async (t) => {
    const { document, diagnostics } = await new Parser().parse(text)
    t.ok(document)
    t.same(
      diagnostics
        .filter(({ severity }) => severity <= 1)
        .map(({ message, path }) => [message, path.join('.')]),
      [],
    )
  },
)

t.test('every event of the line stands in it, for both transports', async (t) => {
  for (const type of Object.keys(queueEvents)) {
    t.ok(described.components.messages[`queue.${type}`], `queue.${type}`)
    t.ok(described.components.messages[`sales.queue.stream.${type}`], `sales.queue.stream.${type}`)
  }
})

t.test('what is sent and not described so is found out', async (t) => {
  const contract = new LiveContract(described)
  contract.frame({ ch: 'queue:sal_1', type: 'paused', data: {} })
  contract.frame({ ref: 1, ok: true })
  contract.event('/api/v1/sales/sal_1/queue/stream', 'paused', {})
  t.throws(() => contract.frame({ ch: 'queue:sal_1', type: 'paused', data: { more: 1 } }), /queue\.paused/)
  t.throws(() => contract.frame({ ch: 'queue:sal_1', type: 'unheard', data: {} }), /is not documented/)
  t.throws(() => contract.frame({ ref: 1, ok: false }), /ok/)
  t.throws(() => contract.event('/api/v1/sales/sal_1/queue/stream', 'paused', 1), /stream\.paused/)
  t.throws(() => contract.event('/api/v1/nothing', 'paused', {}), /is not documented/)
})
