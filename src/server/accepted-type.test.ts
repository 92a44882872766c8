import t from 'tap'
import { preferredType } from './accepted-type.ts'

const offered = ['application/json', 'image/svg+xml', 'image/png'] as const
const cases: Record<string, string> = {
  '': 'application/json',
  '*/*': 'application/json',
  'text/html': 'application/json',
  'image/svg+xml': 'image/svg+xml',
  'IMAGE/PNG': 'image/png',
  'image/*': 'image/svg+xml',
  'image/png, image/svg+xml;q=0.5': 'image/png',
  'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8': 'image/svg+xml',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8': 'application/json',
  'application/json;q=0, */*': 'image/svg+xml',
  'image/png;q=nonsense, image/svg+xml;q=0.1': 'image/svg+xml',
  ';;;,,,q=': 'application/json',
}

t.test('the type is chosen that the caller likes best, JSON where it says nothing', (t) => {
  for (const [accept, type] of Object.entries(cases)) t.equal(preferredType(accept, offered), type, accept)
  t.equal(preferredType(undefined, offered), 'application/json')
  t.end()
})
