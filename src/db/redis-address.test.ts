import t from 'tap'
import { hostsOf, redisAddresses, redisUrl, splitRedisUrls } from './redis-address.ts'

t.test('several addresses are told apart, and a comma in a password is none between them', async (t) => {
  t.same(splitRedisUrls('redis://:a,b@one:1 , rediss://two'), ['redis://:a,b@one:1', 'rediss://two'])
  t.equal(hostsOf('redis://:secret@one:1,redis://two'), 'one:1, two')
})

t.test('an address says host, port, login, TLS and database', async (t) => {
  const [one, two] = redisAddresses('rediss://some%40body:p%3A%25@[::1]:7/3,redis://two')
  t.same(one, { host: '::1', port: 7, username: 'some@body', password: 'p:%', hasTls: true, database: 3 })
  t.match(two, { host: 'two', port: undefined, password: undefined, hasTls: false, database: 0 })
})

t.test('another server is entered with the login of the first', async (t) => {
  const [one] = redisAddresses('rediss://some%40body:p%3A%25@one:7')
  t.match(redisAddresses(redisUrl('[::2]:8', one))[0], { ...one, host: '::2', port: 8 })
  t.equal(redisUrl('two:8', undefined), 'redis://two:8')
})
