import type { JsonSchema } from '../../support/contract.ts'

/** Values that a JSON schema takes: of an object one with all that it must have, and one for each that it may. */
export function samplesOf(schema: JsonSchema, named: Readonly<Record<string, JsonSchema>>): unknown[] {
  const { $ref, anyOf, const: only, enum: allowed, type } = schema as SchemaParts
  if ($ref !== undefined) return samplesOf(named[$ref.split('/').at(-1) ?? ''] ?? {}, named)
  if (anyOf !== undefined) return anyOf.flatMap((one) => samplesOf(one, named))
  if (only !== undefined) return [only]
  if (allowed !== undefined) return [...allowed]
  if (type === 'object') return objectsOf(schema as SchemaParts, named)
  if (type === 'array') {
    const [item] = samplesOf((schema as SchemaParts).items ?? {}, named)
    return [[item], []]
  }
  if (type === 'integer' || type === 'number') return [(schema as SchemaParts).minimum ?? 1]
  if (type === 'boolean') return [true, false]
  return type === 'null' ? [null] : [text]
}

/** Also the code of a unit, and an id. */
const text = 'A-01-01'

interface SchemaParts {
  readonly $ref?: string
  readonly anyOf?: readonly JsonSchema[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly type?: string
  readonly items?: JsonSchema
  readonly minimum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

function objectsOf(
  { properties = {}, required = [] }: SchemaParts,
  named: Readonly<Record<string, JsonSchema>>,
): unknown[] {
  const entriesOf = (key: string) => samplesOf(properties[key] ?? {}, named).map((value) => [key, value])
  const least = required.map((key) => entriesOf(key)[0] ?? [key, null])
  const more = Object.keys(properties).filter((key) => !required.includes(key))
  const each = more.flatMap((key) => entriesOf(key).map((entry) => [...least, entry]))
  const all = required.length > 0 || more.length === 0 ? [least, ...each] : each
  return all.map((entries) => Object.fromEntries(entries) as unknown)
}
