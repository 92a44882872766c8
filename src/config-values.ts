import { z } from 'zod'

/** A whole number between two bounds, both included. */
export function whole(min: number, max: number, otherwise: string) {
  const message = `expected a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,9}$/, { message, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
    .prefault(otherwise)
}

/** A switch: true or false, yes or no, on or off, 1 or 0. */
export function flag(
  otherwise: 'false',
): z.ZodPrefault<z.ZodPipe<z.ZodString, z.ZodTransform<boolean, string>>>
export function flag(): z.ZodPipe<z.ZodString, z.ZodTransform<boolean, string>>
export function flag(otherwise?: 'false') {
  const schema = z
    .string()
    .regex(/^(1|0|true|false|yes|no|on|off)$/i, { message: 'expected true or false', abort: true })
    .transform((text) => /^(1|true|yes|on)$/i.test(text))
  return otherwise ? schema.prefault(otherwise) : schema
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(values: T, otherwise: T[number]) {
  return z.enum(values, `expected one of ${values.join(', ')}`).prefault(otherwise as never)
}

/** A URL with one of the protocols, kept as it was written. */
export function url(...protocols: readonly string[]) {
  const message = `expected a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`
  return z.string().refine((text) => protocols.includes(parseUrl(text)?.protocol ?? ''), message)
}

/** An origin such as `https://tickets.example`, in the form in which browsers send it. */
export function originOf() {
  const message = 'expected an origin without a path, such as https://tickets.example'
  return z
    .string()
    .refine((text) => /^https?:$/.test(parseUrl(text)?.protocol ?? '') && isOrigin(new URL(text)), {
      message,
      abort: true,
    })
    .transform((text) => new URL(text).origin)
}

function isOrigin({ pathname, search, hash, username }: URL): boolean {
  return pathname === '/' && !search && !hash && !username
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function words(text: string): string[] {
  return [
    ...new Set(
      text
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean),
    ),
  ]
}

/** Values separated by commas, each once. */
export function list<T extends z.ZodType<string, string>>(item: T) {
  return z.string().transform(words).pipe(z.array(item)).prefault('')
}

/** Some of a few words, separated by commas, each once; all of them when nothing is said. */
export function setOf<const T extends readonly [string, ...string[]]>(values: T) {
  const message = `expected one or more of ${values.join(', ')}`
  return z
    .string()
    .transform(words)
    .pipe(z.array(z.enum(values, message)).min(1, message))
    .prefault(values.join(','))
}
