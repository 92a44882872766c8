import { Registry } from 'prom-client'
import t from 'tap'
import type { GateReport } from '../domain/queue/admission-gate.ts'
import { GateMetrics } from './gate-metrics.ts'

const report: GateReport = {
  nowMs: 0,
  grants: [],
  closings: [
    { sequence: 1, accountId: 'usr_a', reason: 'no_show', atMs: 0 },
    { sequence: 2, accountId: 'usr_b', reason: 'left', atMs: 0 },
  ],
  waiting: 7,
  active: 0,
  free: 0,
  sold: 0,
  total: 0,
  status: 'open',
  version: 1,
  restoreUntilMs: 0,
  replayAfter: undefined,
  knewLineBeforeMs: 0,
  restored: [],
  setAside: 3,
  isDrawn: false,
  isFull: false,
  told: 2,
  over: false,
}

t.test(
  'a gate counts who was let in, set aside, and lost the place, and forgets a sale that is over',
  async (t) => {
    const registry = new Registry()
    const metrics = new GateMetrics(registry)
    metrics.note('sal_x', report)
    metrics.note('sal_x', report)
    const text = await registry.metrics()
    t.match(text, 'openrun_admitted_total{sale="sal_x"} 4')
    t.match(text, 'openrun_set_aside_total{sale="sal_x"} 6')
    t.match(text, 'openrun_no_shows_total{sale="sal_x"} 2')
    t.match(text, 'openrun_waiting{sale="sal_x"} 7')
    metrics.note('sal_x', { ...report, over: true })
    t.notMatch(await registry.metrics(), 'openrun_waiting{sale="sal_x"}')
  },
)
