import { z } from 'zod'
import { flag, list, oneOf, originOf, setOf, url, whole } from './config-values.ts'
import { postgresUrl } from './config-postgres.ts'
import { redisUrls, wrongOfRedis } from './config-redis.ts'
import { StartError } from './start-error.ts'

export const roles = ['edge', 'admission', 'payments', 'worker'] as const
export type Role = (typeof roles)[number]

/** What a setting is called outside and what it is for; read by the parser, by `--help` and by the docs. */
export interface SettingMeta {
  readonly env?: string
  /** Name of the command-line option, without the dashes. */
  readonly flag?: string
  /** What stands for the value in the help: `URL`, `LIST`; absent for a switch. */
  readonly value?: string
  readonly description: string
  /** The default in words, where it is not a plain value. */
  readonly defaultText?: string
}

/** Every setting there is. Inputs are strings, as environment and command line give them. */
const configSchema = z.object({
  databaseUrl: setting(postgresUrl().optional(), {
    env: 'DATABASE_URL',
    value: 'URL',
    description:
      'PostgreSQL to use, postgres://…; with ?sslmode=require the connections are encrypted, with verify-full its certificate is checked, too, against the authorities of Node and those in NODE_EXTRA_CA_CERTS',
    defaultText: 'none: a local PostgreSQL is started in the data folder',
  }),
  redisUrl: setting(redisUrls().optional(), {
    env: 'REDIS_URL',
    value: 'URL',
    description:
      'Redis or Valkey to use, redis://…; of Sentinels and of a cluster several addresses, separated by commas',
    defaultText: 'none: a local Redis is started in the data folder',
  }),
  redisSentinelMaster: setting(z.string().optional(), {
    env: 'OPENRUN_REDIS_SENTINEL_MASTER',
    value: 'NAME',
    description:
      'The addresses in REDIS_URL are those of Sentinels, and the master they know by this name is used; the login in the first address is that of the master',
    defaultText: 'none: no Sentinels',
  }),
  redisSentinelPassword: setting(z.string().optional(), {
    env: 'OPENRUN_REDIS_SENTINEL_PASSWORD',
    value: 'SECRET',
    description: 'Password of the Sentinels themselves',
    defaultText: 'none: they want none',
  }),
  redisCluster: setting(flag('false'), {
    env: 'OPENRUN_REDIS_CLUSTER',
    description:
      'The addresses in REDIS_URL are nodes of a Redis Cluster; the login in the first is that of all',
  }),
  redisBin: setting(z.string().optional(), {
    env: 'REDIS_BIN',
    value: 'FILE',
    description: 'Server binary of the local Redis',
    defaultText: 'redis-server or valkey-server on the PATH',
  }),
  noInstall: setting(flag('false'), {
    env: 'OPENRUN_NO_INSTALL',
    description: 'Change nothing on this machine: do not install redis-tools, do not create a user',
  }),
  dataDir: setting(z.string().prefault('.data'), {
    env: 'OPENRUN_DATA_DIR',
    value: 'FOLDER',
    description: 'Folder of the local stores',
  }),
  reset: setting(flag('false'), {
    flag: 'reset',
    description: 'Delete what the local stores hold and begin anew',
  }),
  port: setting(whole(0, 65_535, '3000'), {
    env: 'PORT',
    value: 'PORT',
    description: 'TCP port to listen on; 0 takes any free one',
  }),
  host: setting(z.string().prefault('0.0.0.0'), {
    env: 'HOST',
    value: 'ADDRESS',
    description:
      'Address to listen on; the default lets phones and containers reach the server, 127.0.0.1 keeps it to this machine',
  }),
  roles: setting(setOf(roles), {
    env: 'OPENRUN_ROLES',
    flag: 'roles',
    value: 'LIST',
    description: `Parts of the server that this process runs, separated by commas: ${roles.join(', ')}`,
  }),
  sharePort: setting(flag('false'), {
    env: 'OPENRUN_SHARE_PORT',
    flag: 'share-port',
    description: 'Share the port with other processes of this machine instead of refusing a taken one',
  }),
  publicUrl: setting(originOf().optional(), {
    env: 'OPENRUN_PUBLIC_URL',
    value: 'URL',
    description:
      'Where buyers reach the server, such as https://tickets.example; with https cookies are secure',
    defaultText: 'none: the Host header of each request',
  }),
  allowedOrigins: setting(list(originOf()), {
    env: 'OPENRUN_ALLOWED_ORIGINS',
    value: 'LIST',
    description: 'Other origins whose pages may call the server, separated by commas',
    defaultText: 'none',
  }),
  trustedProxies: setting(whole(0, 16, '0'), {
    env: 'OPENRUN_TRUSTED_PROXIES',
    value: 'COUNT',
    description: 'Proxies in front of the server whose X-Forwarded-For is believed',
  }),
  guestsPerMinute: setting(whole(1, 1_000_000, '30'), {
    env: 'OPENRUN_GUESTS_PER_MINUTE',
    value: 'COUNT',
    description: 'Guest accounts that one address may open in a minute',
  }),
  logLevel: setting(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'), {
    env: 'OPENRUN_LOG_LEVEL',
    value: 'LEVEL',
    description: 'Least severe log lines to write: trace, debug, info, warn, error, fatal or silent',
  }),
  pictures: setting(url('s3:').optional(), {
    env: 'OPENRUN_PICTURES',
    value: 'URL',
    description:
      'Bucket for the pictures of stores, s3://bucket/prefix; needed as soon as processes run on several machines. The key is found where the AWS SDK looks for it, as in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    defaultText: 'none: they are kept in the data folder',
  }),
  picturesServer: setting(url('http:', 'https:').optional(), {
    env: 'OPENRUN_PICTURES_SERVER',
    value: 'URL',
    description: 'Server of that bucket, any that speaks S3',
    defaultText: 'none: that of Amazon',
  }),
  picturesRegion: setting(z.string().prefault('us-east-1'), {
    env: 'AWS_REGION',
    value: 'NAME',
    description: 'Region of that bucket',
  }),
  demo: setting(flag().optional(), {
    env: 'OPENRUN_DEMO',
    description: 'Create the demo sales at the first start',
    defaultText: 'true when the local PostgreSQL is used',
  }),
  admissionTickMs: setting(whole(10, 10_000, '100'), {
    env: 'OPENRUN_ADMISSION_TICK_MS',
    value: 'MS',
    description: 'Time between two looks of the admission loop at a sale, in milliseconds',
  }),
  restoreSeconds: setting(whole(0, 600, '15'), {
    env: 'OPENRUN_RESTORE_SECONDS',
    value: 'SECONDS',
    description:
      'How long a line is collected from its waiters after a loss of Redis before admission goes on',
  }),
  payBySeconds: setting(whole(10, 86_400, '300'), {
    env: 'OPENRUN_PAY_BY_SECONDS',
    value: 'SECONDS',
    description: 'Time to pay an order before it expires',
  }),
  keyRotationDays: setting(whole(1, 3_650, '30'), {
    env: 'OPENRUN_KEY_ROTATION_DAYS',
    value: 'DAYS',
    description: 'Age at which a signing key is followed by a new one',
  }),
  streamBufferBytes: setting(whole(4_096, 16_777_216, '65536'), {
    env: 'OPENRUN_STREAM_BUFFER_BYTES',
    value: 'BYTES',
    description: 'Unsent bytes at which a live connection that reads too slowly is closed',
  }),
  connectionsMax: setting(whole(1, 1_000_000, '18000'), {
    env: 'OPENRUN_MAX_CONNECTIONS',
    value: 'COUNT',
    description: 'Live connections that this process accepts',
  }),
  rereadPages: setting(flag('false'), {
    flag: 'reread-pages',
    description: 'Read the pages again whenever they are asked for, for whoever works on them',
  }),
  postgresConnections: setting(whole(1, 1_000, '10'), {
    env: 'OPENRUN_POSTGRES_CONNECTIONS',
    value: 'COUNT',
    description:
      'Connections to PostgreSQL that this process keeps; searches have a quarter as many of their own, and one more asks how it is',
  }),
})

type Parsed = z.output<typeof configSchema>

/** The settings of one process, complete and checked. */
export type Config = Readonly<Omit<Parsed, 'demo'>> & {
  readonly demo: boolean
  /** Cookies are `Secure` and carry the `__Host-` prefix. */
  readonly secureCookies: boolean
}

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Arguments after the name of the program. */
  readonly argv: readonly string[]
}

export type ParsedCommand =
  | { readonly help: true }
  /** `warnings`: one line for each `OPENRUN_*` variable that is no setting. */
  | { readonly help: false; readonly config: Config; readonly warnings: readonly string[] }

/**
 * Reads the settings. An option on the command line wins over the environment; an empty variable counts as
 * not set. Throws `StartError` with one line for each wrong value or unknown option.
 */
export function parseConfig({ env, argv }: ConfigSources): ParsedCommand {
  if (argv.includes('--help') || argv.includes('-h')) return { help: true }
  const { values: options, wrong } = readOptions(argv)
  const values: Record<string, string> = {}
  for (const { key, meta } of settings()) {
    const value = (meta.flag && options[meta.flag]) ?? (meta.env && env[meta.env]?.trim())
    if (value) values[key] = value
  }
  const parsed = configSchema.safeParse(values)
  const lines = [
    ...wrong,
    ...(parsed.success ? wrongOfRedis(parsed.data) : parsed.error.issues.map((one) => lineOf(one, values))),
  ]
  if (!parsed.success || lines.length > 0) throw new StartError([...new Set(lines)])
  return { help: false, config: complete(parsed.data), warnings: unknownVariables(env) }
}

/** Each setting with its names, its meaning and its default in words. */
export function settings(): { key: string; meta: SettingMeta; defaultText: string }[] {
  return Object.entries(configSchema.shape).map(([key, schema]) => {
    const meta = metaOf(schema)
    return { key, meta, defaultText: meta.defaultText ?? defaultOf(schema) }
  })
}

function complete(parsed: Parsed): Config {
  return {
    ...parsed,
    demo: parsed.demo ?? parsed.databaseUrl === undefined,
    secureCookies: parsed.publicUrl?.startsWith('https:') ?? false,
  }
}

function readOptions(argv: readonly string[]): { values: Record<string, string>; wrong: string[] } {
  const values: Record<string, string> = {}
  const wrong: string[] = []
  const known = new Map<string, SettingMeta>(
    settings().flatMap(({ meta }) => (meta.flag ? [[`--${meta.flag}`, meta] as const] : [])),
  )
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [name, ...after] = word.split('=')
    const meta = known.get(name ?? '')
    if (!meta?.flag) {
      wrong.push(`${name} is not an option of Openrun (see --help)`)
      continue
    }
    const given = after.length > 0 ? after.join('=') : meta.value ? rest.shift() : 'true'
    if (!given || (meta.value && given.startsWith('--')))
      wrong.push(`${name} needs a value: ${name} ${meta.value}`)
    else values[meta.flag] = given
  }
  return { values, wrong }
}

function unknownVariables(env: ConfigSources['env']): string[] {
  const known = new Set(settings().map(({ meta }) => meta.env))
  return Object.keys(env)
    .filter((name) => name.startsWith('OPENRUN_') && !known.has(name))
    .toSorted()
    .map((name) => `${name} is not a setting of Openrun and is ignored (see --help)`)
}

function lineOf(issue: z.core.$ZodIssue, values: Readonly<Record<string, string>>): string {
  const key = String(issue.path[0])
  const meta = settings().find((known) => known.key === key)?.meta
  const name = meta?.env ?? `--${meta?.flag}`
  // A URL may carry a password, which has no place in a terminal or a log.
  const shown = meta?.value === 'URL' ? '' : `=${values[key]}`
  return `${name}${shown} is wrong: ${issue.message}`
}

function setting<T extends z.ZodType>(schema: T, meta: SettingMeta): T {
  return schema.meta({ ...meta })
}

function metaOf(schema: z.ZodType): SettingMeta {
  const meta = schema.meta()
  if (!meta?.description) throw new Error('a setting without a description')
  return meta as unknown as SettingMeta
}

function defaultOf(schema: z.ZodType): string {
  const value = schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined
  return typeof value === 'string' ? value : 'none'
}
