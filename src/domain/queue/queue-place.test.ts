import t from 'tap'
import { epochOfSequence, etaSeconds, parseAdmission, sequenceOfTokenId, tokenIdOf } from './queue-place.ts'

t.test('a token id stands for its sequence and for no other', (t) => {
  for (const sequence of [0, 1, 35, 36, 2 ** 32, 7 * 2 ** 32 + 12_345, Number.MAX_SAFE_INTEGER]) {
    t.equal(sequenceOfTokenId(tokenIdOf(sequence)), sequence)
  }
  for (const jti of ['', '-1', '1.5', 'A', ' 1', '1e9\n', 'zzzzzzzzzzz', 'a'.repeat(40), '__proto__']) {
    t.equal(sequenceOfTokenId(jti), undefined, `"${jti}" is none`)
  }
  t.end()
})

t.test('a sequence names the epoch that gave it', (t) => {
  t.equal(epochOfSequence(2 ** 32 - 1), 0)
  t.equal(epochOfSequence(2 ** 32), 1)
  t.equal(epochOfSequence(900 * 2 ** 32 + 2 ** 32 - 1), 900)
  t.end()
})

t.test('an admission is read as it was written, and nothing else is', (t) => {
  t.same(parseAdmission('4294967297:1700000300000:1700000000000'), {
    sequence: 4_294_967_297,
    expiresAtMs: 1_700_000_300_000,
    admittedAtMs: 1_700_000_000_000,
  })
  t.throws(() => parseAdmission('1:2'))
  t.end()
})

t.test('the wait is told in whole seconds at the pace of the gate', (t) => {
  t.equal(etaSeconds(0, 60), 1)
  t.equal(etaSeconds(59, 60), 60)
  t.equal(etaSeconds(0, 7), 9)
  t.equal(etaSeconds(999, 60_000), 1)
  t.end()
})
