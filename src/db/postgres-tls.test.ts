import t from 'tap'
import { encryptionOf, wrongOfEncryption } from './postgres-tls.ts'

const strict = { isOptional: false, isVerified: true }

t.test('what a URL says of encryption is read as it stands there', async (t) => {
  const read = (query: string) => encryptionOf(`postgres://someone:s%3Fcret@one,two:5433/shop${query}`)
  for (const none of ['', '?', '?sslmode=', '?sslmode=disable', '?application_name=sslmode'])
    t.equal(read(none), undefined, none)
  t.same(read('?sslmode=verify-full'), strict)
  t.same(read('?application_name=a?b&sslmode=require#x'), { isOptional: false, isVerified: false })
  t.same(read('?sslmode=disable&sslmode=verify-ca'), strict, 'the last one counts')
  t.same(read('?sslmode=prefer'), { isOptional: true, isVerified: false })
})

t.test('what cannot be done is refused before anything is said', async (t) => {
  t.equal(wrongOfEncryption('postgres://one/shop?sslmode=require'), undefined)
  for (const mode of ['always', 'constructor'])
    t.match(wrongOfEncryption(`postgres://one/shop?sslmode=${mode}`), /^sslmode is \w+, and may be disable/)
  t.match(wrongOfEncryption('postgres://one/shop?sslrootcert=system'), /^sslrootcert is not understood/)
})
