import t from 'tap'
import { catalogueOf, errorAreas, errorCatalogue } from './error-catalogue.ts'
import { generalErrors } from './errors.ts'

t.test('a code that two areas claim is refused', async (t) => {
  const house = { title: 'The house', errors: [generalErrors.internal] }
  const other = { title: 'Another', errors: [generalErrors.unavailable, generalErrors.internal] }
  t.throws(() => catalogueOf([house, other]), /internal belongs to The house and to Another/)
  t.same(catalogueOf([house]), [generalErrors.internal])
})

t.test('the catalogue holds every error of every area once', async (t) => {
  t.equal(errorCatalogue.length, errorAreas.flatMap(({ errors }) => errors).length)
  t.equal(new Set(errorCatalogue.map(({ code }) => code)).size, errorCatalogue.length)
})

t.test('every error tells a person what happened and what to do, and has a status of its kind', async (t) => {
  for (const { code, status, title, advice } of errorCatalogue) {
    t.match(code, /^[a-z]+(_[a-z]+)*$/)
    t.ok(status >= 400 && status <= 503, `${code}: ${status}`)
    t.match(title, /^[A-Z].*[^.]$/, `${code}: a title is a sentence without its full stop`)
    t.match(advice, /^[A-Z].*\.$/, `${code}: advice is a full sentence`)
  }
})
