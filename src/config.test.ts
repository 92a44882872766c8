import t from 'tap'
import { configurationTable, helpText } from './config-help.ts'
import { parseConfig, roles, settings, type Config } from './config.ts'
import { StartError } from './start-error.ts'

t.test('without any setting the defaults hold', async (t) => {
  const config = parsed({})
  t.match(config, { port: 3000, host: '0.0.0.0', dataDir: '.data', roles, sharePort: false, reset: false })
  t.match(config, { guestsPerMinute: 30, trustedProxies: 0, logLevel: 'info', restoreSeconds: 15 })
  t.same(config.allowedOrigins, [])
  t.equal(config.databaseUrl, undefined)
})

t.test('the environment sets values of every type', async (t) => {
  const config = parsed({
    DATABASE_URL: 'postgres://someone:secret@db:5432/openrun',
    REDIS_URL: 'rediss://cache:6380',
    PORT: '0',
    OPENRUN_ROLES: 'edge, worker,edge',
    OPENRUN_SHARE_PORT: 'yes',
    OPENRUN_ALLOWED_ORIGINS: 'https://a.example/, http://localhost:5173',
    OPENRUN_PUBLIC_URL: 'https://Tickets.example',
  })
  t.match(config, { databaseUrl: /secret/, redisUrl: 'rediss://cache:6380', port: 0, sharePort: true })
  t.same(config.roles, ['edge', 'worker'])
  t.same(config.allowedOrigins, ['https://a.example', 'http://localhost:5173'])
  t.equal(config.publicUrl, 'https://tickets.example')
})

t.test('an empty variable counts as not set', async (t) => {
  t.match(parsed({ PORT: '', DATABASE_URL: ' ', OPENRUN_ROLES: '' }), { port: 3000, roles })
})

t.test('an option wins over its variable and takes its value after a space or an equals sign', async (t) => {
  const env = { OPENRUN_ROLES: 'worker', OPENRUN_SHARE_PORT: 'false' }
  t.same(parsed(env, '--roles', 'edge,payments').roles, ['edge', 'payments'])
  t.same(parsed(env, '--roles=admission', '--share-port').roles, ['admission'])
  t.equal(parsed(env, '--share-port').sharePort, true)
  t.equal(parsed(env, '--reset').reset, true)
})

t.test('demo sales are made by default only in a local PostgreSQL', async (t) => {
  t.equal(parsed({}).demo, true)
  t.equal(parsed({ DATABASE_URL: 'postgres://db/x' }).demo, false)
  t.equal(parsed({ DATABASE_URL: 'postgres://db/x', OPENRUN_DEMO: 'true' }).demo, true)
  t.equal(parsed({ OPENRUN_DEMO: '0' }).demo, false)
})

t.test('cookies are secure exactly when the public address has TLS', async (t) => {
  t.equal(parsed({ OPENRUN_PUBLIC_URL: 'https://a.example' }).secureCookies, true)
  t.equal(parsed({ OPENRUN_PUBLIC_URL: 'http://a.example' }).secureCookies, false)
  t.equal(parsed({}).secureCookies, false)
})

t.test('each wrong value gets one line with its name, what it was and what is expected', async (t) => {
  const lines = refused({
    PORT: '70000',
    OPENRUN_ROLES: 'edge,cook,waiter',
    OPENRUN_LOG_LEVEL: 'loud',
    OPENRUN_DEMO: 'perhaps',
    OPENRUN_PUBLIC_URL: 'https://a.example/path',
    OPENRUN_ADMISSION_TICK_MS: '1e3',
  })
  t.equal(lines.length, 6)
  t.match(lines, [
    'PORT=70000 is wrong: expected a whole number from 0 to 65535',
    'OPENRUN_ROLES=edge,cook,waiter is wrong: expected one or more of edge, admission, payments, worker',
    /^OPENRUN_PUBLIC_URL is wrong: expected an origin/,
    /^OPENRUN_LOG_LEVEL=loud is wrong: expected one of trace/,
    'OPENRUN_DEMO=perhaps is wrong: expected true or false',
    'OPENRUN_ADMISSION_TICK_MS=1e3 is wrong: expected a whole number from 10 to 10000',
  ])
})

t.test('values that are no numbers, origins or store addresses are refused', async (t) => {
  for (const PORT of ['-1', '3000.5', ' 30 00', '0x10', 'NaN', '99999999999'])
    t.equal(refused({ PORT }).length, 1, PORT)
  for (const origin of ['*', 'example', 'ftp://a.example', 'https://u@a.example', 'https://a.example/?x']) {
    t.equal(refused({ OPENRUN_ALLOWED_ORIGINS: origin }).length, 1, origin)
  }
  t.equal(refused({ REDIS_URL: 'http://cache' }).length, 1)
  t.match(refused({ OPENRUN_ROLES: ' , ' }), [/one or more of edge/])
})

t.test('a wrong store address is refused without showing the password in it', async (t) => {
  const [odd] = refused({ DATABASE_URL: 'postgres://someone:hunter2@db/x?sslmode=always' })
  t.match(odd, /^DATABASE_URL is wrong: sslmode is always, and may be disable, prefer/)
  const [line] = refused({ DATABASE_URL: 'mysql://someone:hunter2@db/x' })
  t.match(line, /^DATABASE_URL is wrong: expected a URL that begins with postgres:\/\//)
  t.notMatch(line, /hunter2/)
})

t.test('several servers of Redis need a word of what they are, and one word only', async (t) => {
  const one = 'redis://a:1'
  const several = `${one},redis://b:2`
  const master = { OPENRUN_REDIS_SENTINEL_MASTER: 'main' }
  const cluster = { OPENRUN_REDIS_CLUSTER: 'true' }
  t.match(parsed({ REDIS_URL: several, ...master }), { redisUrl: several, redisSentinelMaster: 'main' })
  t.match(parsed({ REDIS_URL: one, ...cluster }), { redisUrl: one, redisCluster: true })
  const wrong: readonly [Record<string, string>, RegExp][] = [
    [{ REDIS_URL: several }, /^REDIS_URL names several servers: set /],
    [{ REDIS_URL: several, ...master, ...cluster }, /are both set/],
    [master, /^OPENRUN_REDIS_SENTINEL_MASTER needs the addresses/],
    [cluster, /^OPENRUN_REDIS_CLUSTER needs addresses/],
    [{ REDIS_URL: `${one}/1`, ...cluster }, /^REDIS_URL names a database/],
    [{ REDIS_URL: one, OPENRUN_REDIS_SENTINEL_PASSWORD: 'secret' }, /is set without/],
    [{ REDIS_URL: `${one},http://b`, ...cluster }, /^REDIS_URL is wrong: expected a URL/],
  ]
  for (const [env, line] of wrong) {
    const lines = refused(env)
    t.equal(lines.length, 1)
    t.match(lines, [line])
  }
})

t.test('unknown options and options without their value are named', async (t) => {
  t.match(refused({}, '--prot', 'extra'), [/^--prot is not an option/, /^extra is not an option/])
  t.match(refused({}, '--roles'), ['--roles needs a value: --roles LIST'])
  t.match(refused({}, '--roles', '--reset'), ['--roles needs a value: --roles LIST'])
  t.match(refused({}, '--reset=perhaps'), [/^--reset=perhaps is wrong/])
})

t.test('unknown OPENRUN_ variables are reported, others are none of our business', async (t) => {
  const command = parseConfig({ env: { OPENRUN_PORT: '1', OPENRUN_DEMO: '0', HOME: '/root' }, argv: [] })
  t.match(command, { warnings: [/^OPENRUN_PORT is not a setting/] })
  t.equal(command.help ? 0 : command.warnings.length, 1)
})

t.test('help is given even when other settings are wrong', async (t) => {
  t.same(parseConfig({ env: { PORT: 'x' }, argv: ['--wrong', '--help'] }), { help: true })
  t.same(parseConfig({ env: {}, argv: ['-h'] }), { help: true })
})

t.test('the help and the table name every setting with its default and meaning', async (t) => {
  const help = helpText().replace(/\s+/g, ' ')
  const table = configurationTable()
  t.ok(settings().length > 20)
  for (const { meta, defaultText } of settings()) {
    const name = meta.env ?? `--${meta.flag}`
    for (const text of [help, table]) t.ok(text.includes(name) && text.includes(meta.description), name)
    t.ok(help.includes(`(default: ${defaultText})`), `${name} has a default`)
  }
  t.ok(
    helpText()
      .split('\n')
      .every((line) => line.length <= 110),
  )
  t.equal(table.split('\n').length, settings().length + 2)
})

function parsed(env: Record<string, string>, ...argv: string[]): Config {
  const command = parseConfig({ env, argv })
  if (command.help) throw new Error('asked for help')
  return command.config
}

function refused(env: Record<string, string>, ...argv: string[]): readonly string[] {
  try {
    parseConfig({ env, argv })
  } catch (error) {
    if (error instanceof StartError) return error.lines
    throw error
  }
  return []
}
