/**
 * The new value, with every part of it that equals the old one replaced by that: what did not change is the same object, and
 * is not rendered again. For JSON: records, lists, text, numbers.
 */
export const reuse = <T>(before: unknown, after: T): T => {
  if (Object.is(before, after)) return after
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null)
    return after
  if (Array.isArray(after)) {
    if (!Array.isArray(before)) return after
    let same = before.length === after.length
    const merged = after.map((item: unknown, index) => {
      const kept = reuse<unknown>(before[index], item)
      same &&= Object.is(kept, before[index])
      return kept
    })
    return (same ? before : merged) as T
  }
  if (Array.isArray(before)) return after
  const old = before as Readonly<Record<string, unknown>>
  const names = Object.keys(after)
  let same = names.length === Object.keys(old).length
  const merged: Record<string, unknown> = {}
  for (const name of names) {
    const kept = reuse((old as Record<string, unknown>)[name], (after as Record<string, unknown>)[name])
    same &&= Object.hasOwn(old, name) && Object.is(kept, old[name])
    // `__proto__` as a name is data like any other.
    Object.defineProperty(merged, name, { value: kept, enumerable: true, configurable: true, writable: true })
  }
  return (same ? before : merged) as T
}
