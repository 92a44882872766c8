/** Resolves as soon as the condition holds; throws with its name after `withinMs`. For what sends no event. */
export async function until(
  name: string,
  condition: () => boolean | Promise<boolean>,
  options: { readonly withinMs?: number } = {},
): Promise<void> {
  const { withinMs = 60_000 } = options
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${name}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
