import t from 'tap'
import { EncodedAnswers } from './encoded-answers.ts'

t.test('a view is written once, and another view of the same is not taken for it', async (t) => {
  const answers = new EncodedAnswers()
  const view = { name: '성수' }
  const answer = answers.of(view)
  t.equal(answers.of(view), answer)
  t.equal(String(answer.body), '{"name":"성수"}')
  t.equal(answers.of({ name: '성수' }).headers?.['etag'], answer.headers?.['etag'])
  t.not(answers.of({ name: '망원' }).headers?.['etag'], answer.headers?.['etag'])
})
