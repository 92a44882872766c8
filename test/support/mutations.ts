/** One thing made wrong. */
export interface Mutation {
  readonly name: string
  readonly value: unknown
}

const replacements: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  '',
  ' ',
  'nope',
  '7',
  '한글 \u0000 \u202e',
  'x'.repeat(3000),
  [],
  [[]],
  [null],
  {},
  { $ne: 1 },
]

/** Every member of a JSON value left out, replaced by something else, and joined by one that does not belong there. */
export function mutationsOf(value: unknown, path = ''): Mutation[] {
  const own = replacements.map((other) => ({ name: `${path || 'all'} = ${nameOf(other)}`, value: other }))
  if (typeof value !== 'object' || value === null) return own
  const entries = Object.entries(value)
  const put = (key: string, member: unknown): unknown => {
    if (Array.isArray(value))
      return value.map((old: unknown, index) => (String(index) === key ? member : old))
    return { ...value, [key]: member }
  }
  const inner = entries.flatMap(([key, member]) =>
    mutationsOf(member, `${path}/${key}`).map(({ name, value: other }) => ({ name, value: put(key, other) })),
  )
  const without = entries.map(([key]) => ({
    name: `${path} without ${key}`,
    value: Array.isArray(value)
      ? value.filter((_, index) => String(index) !== key)
      : Object.fromEntries(entries.filter(([other]) => other !== key)),
  }))
  const more = Array.isArray(value)
    ? [{ name: `${path} a thousand times`, value: Array.from({ length: 1000 }, () => value[0] as unknown) }]
    : [
        { name: `${path} with a stranger`, value: { ...(value as object), stranger: 1 } },
        {
          name: `${path} with __proto__`,
          value: JSON.parse(
            `{"__proto__": {}${entries.length > 0 ? ', ' : ''}${JSON.stringify(value).slice(1)}`,
          ) as unknown,
        },
      ]
  return [...own, ...inner, ...without, ...more]
}

function nameOf(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 20)
}
