/**
 * Which element shows which row. A row keeps its element wherever it moves; one that arrives takes the place that waited for
 * it; and the others take the elements of rows that went out of sight, as changing one is cheaper than making one. Pure.
 */

export interface KeyedRow {
  /** Undefined: it has not come yet. */
  readonly id: string | undefined
  readonly key: string
}

/** `wanted`: places and the rows in them, as they are to be rendered now; `last`: what this gave for the render before. */
export const rowKeys = (
  last: ReadonlyMap<number, KeyedRow>,
  wanted: ReadonlyMap<number, string | undefined>,
): ReadonlyMap<number, KeyedRow> => {
  const free = new Set<string>()
  const byId = new Map<string, string>()
  for (const { id, key } of last.values()) {
    free.add(key)
    if (id !== undefined) byId.set(id, key)
  }
  const keys = new Map<number, KeyedRow>()
  const give = (index: number, key: string | undefined): boolean => {
    if (key === undefined || !free.delete(key)) return false
    keys.set(index, { id: wanted.get(index), key })
    return true
  }
  // First those that have an element already, each by its row.
  for (const [index, id] of wanted) if (id !== undefined) give(index, byId.get(id))
  // Then those that came to where they were awaited, and those that are awaited where something was.
  for (const [index, id] of wanted) {
    const before = last.get(index)
    if (!keys.has(index) && before !== undefined && (id === undefined || before.id === undefined))
      give(index, before.key)
  }
  const spare = free.values()
  let made = Math.max(-1, ...[...last.values()].map(({ key }) => Number(key)))
  for (const [index, id] of wanted) {
    if (keys.has(index)) continue
    const key = spare.next().value ?? String((made += 1))
    keys.set(index, { id, key })
  }
  return keys
}

/** The same, with the memory of what was rendered. */
export class RowElements {
  #last: ReadonlyMap<number, KeyedRow> = new Map()

  /** Changes nothing: a rendering may be given up, or made twice. */
  keys(wanted: ReadonlyMap<number, string | undefined>): ReadonlyMap<number, KeyedRow> {
    return rowKeys(this.#last, wanted)
  }

  rendered(keys: ReadonlyMap<number, KeyedRow>): void {
    this.#last = keys
  }
}
