import fc from 'fast-check'
import t from 'tap'
import { Batcher, type Fate } from '../../src/db/batcher.ts'
import { RowChanges } from '../../src/db/row-changes.ts'
import { FreshReads } from '../../src/domain/fresh-reads.ts'
import { SaleCatalogue } from '../../src/domain/sales/sale-catalogue.ts'
import type { Sale } from '../../src/domain/sales/sale.ts'
import { FakeClock } from '../support/fake-clock.ts'

/*
 * What happens between two awaits of one process, in every order that a scheduler can think of. Whatever fails names the
 * seed and the path that repeat it.
 */

const run = { numRuns: 300 }
const check = async (property: fc.IAsyncProperty<[fc.Scheduler, ...unknown[]]>): Promise<void> =>
  await fc.assert(property as fc.IAsyncProperty<unknown[]>, run)

/** A store in which values are written with their count, at once, and are read with delays of the scheduler's choice. */
class Rows {
  count = 0

  write(): void {
    this.count += 1
  }

  /** What was true at some moment between the asking and the answer. */
  async read(scheduler: fc.Scheduler, label: string): Promise<number> {
    await scheduler.schedule(Promise.resolve(), `${label} arrives`)
    const { count } = this
    await scheduler.schedule(Promise.resolve(), `${label} is answered`)
    return count
  }
}

t.test('whoever asks after a change that is known of is never told what was before it', async (t) => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.constantFrom('ask' as const, 'change' as const), { minLength: 2, maxLength: 12 }),
    async (scheduler, steps) => {
      const rows = new Rows()
      const clock = new FakeClock()
      const read = async () => ({ stores: await rows.read(scheduler, 'count'), sales: 0 })
      const changes = new RowChanges({ clock, read })
      const options = { changes, subject: 'stores' as const, weightMax: 1_000, weigh: () => 1 }
      const reads = new FreshReads<number>(options)
      const told: { least: number; value: Promise<number> }[] = []
      const ask = (): void => {
        const least = rows.count
        told.push({ least, value: Promise.resolve(reads.get('a', () => rows.read(scheduler, 'rows'))) })
      }
      const change = (): void => {
        rows.write()
        changes.lookAgain()
      }
      const sequence = scheduler.scheduleSequence(
        steps.map((step) => async () => {
          if (step === 'ask') ask()
          else change()
        }),
      )
      await scheduler.waitFor(sequence.task)
      await scheduler.waitFor(Promise.all(told.map(({ value }) => value)))
      for (const { least, value } of told)
        if ((await value) < least) throw new Error(`${least} was told as less`)
    },
  )
  await t.resolves(check(property as never))
})

t.test('a sale that is known to be changed is never told as it was before', async (t) => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.constantFrom('ask' as const, 'change' as const), { minLength: 2, maxLength: 12 }),
    async (scheduler, steps) => {
      const rows = new Rows()
      rows.write()
      const source = {
        sale: async () => ({ version: await rows.read(scheduler, 'sale') }) as Sale,
        layout: async () => undefined,
        units: async () => {
          throw new Error('nobody asks for units')
        },
      }
      const catalogue = new SaleCatalogue({ source, clock: new FakeClock() })
      const told: { least: number; value: Promise<Sale> }[] = []
      const sequence = scheduler.scheduleSequence(
        steps.map((step) => async () => {
          if (step === 'ask')
            told.push({ least: rows.count, value: catalogue.sale('sal_1234567890abcdefghij') })
          else {
            rows.write()
            catalogue.forget('sal_1234567890abcdefghij')
          }
        }),
      )
      await scheduler.waitFor(sequence.task)
      await scheduler.waitFor(Promise.all(told.map(({ value }) => value)))
      for (const { least, value } of told) {
        const { version } = await value
        if (version < least) throw new Error(`version ${version} was told after ${least}`)
      }
    },
  )
  await t.resolves(check(property as never))
})

t.test('every item of a batch gets its own result, once, and no more batches run than may', async (t) => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 3 }),
    async (scheduler, count, batchMax, inFlightMax) => {
      let [underWay, most] = [0, 0]
      const seen: number[] = []
      const batcher = new Batcher<number, number>({
        batchMax,
        queueMax: 100,
        inFlightMax,
        run: async (items) => {
          most = Math.max(most, ++underWay)
          await scheduler.schedule(Promise.resolve(), `batch of ${items.length}`)
          underWay--
          seen.push(...items)
          return items.map((item): Fate<number> => ({ ok: true, value: item * 10 }))
        },
      })
      const results = Promise.all(Array.from({ length: count }, (_, item) => batcher.add(item)))
      await scheduler.waitFor(results)
      if (most > inFlightMax) throw new Error(`${most} batches at once`)
      if (new Set(seen).size !== count || seen.length !== count)
        throw new Error('an item was run twice or never')
      if ((await results).some((value, item) => value !== item * 10)) throw new Error('a result went astray')
    },
  )
  await t.resolves(check(property as never))
})
