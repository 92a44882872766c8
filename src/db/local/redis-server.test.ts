import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { needsName, redisServer } from './redis-server.ts'

const log = () => t.fail('nothing may be installed here')

t.test(
  'without any Redis, and forbidden to install one, the start ends with one line that says what to run',
  async (t) => {
    for (const path of ['', t.testdir({}), '/nowhere:relative']) {
      await t.rejects(redisServer({ path, noInstall: true, log }), {
        name: 'StartError',
        message: /^No Redis on this machine: [^\n]+, or set REDIS_BIN or REDIS_URL$/,
      })
    }
  },
)

t.test('redis-server is taken before valkey-server, and both before the binary of redis-tools', async (t) => {
  const folder = t.testdir({})
  const install = async (name: string) => {
    const file = join(folder, name)
    await writeFile(file, '#!/bin/sh\necho "Redis server v=7.0.15 sha=0"\n')
    await chmod(file, 0o755)
    t.equal(await redisServer({ path: `/nowhere:${folder}`, noInstall: true, log }), file)
    return file
  }
  t.equal(needsName(await install('redis-check-rdb')), true)
  t.equal(needsName(await install('valkey-server')), false)
  t.equal(needsName(await install('redis-server')), false)
})

t.test('a program of that name that is no server, or cannot be run, is passed over', async (t) => {
  const folder = t.testdir({ 'redis-server': '#!/bin/sh\necho hello\n', 'valkey-server': 'no program' })
  await chmod(join(folder, 'redis-server'), 0o755)
  await t.rejects(redisServer({ path: folder, noInstall: true, log }), { name: 'StartError' })
})

t.test('REDIS_BIN is used when it is a server and refused by name when it is not', async (t) => {
  const folder = t.testdir({ mine: '#!/bin/sh\necho "Valkey server v=8.1.0 sha=0"\n' })
  const redisBin = join(folder, 'mine')
  const refusal = {
    name: 'StartError',
    message: `REDIS_BIN=${redisBin} is not a Redis server that can be run`,
  }
  await t.rejects(redisServer({ redisBin, noInstall: true, log }), refusal)
  await chmod(redisBin, 0o755)
  t.equal(await redisServer({ redisBin, noInstall: true, log }), redisBin)
})
