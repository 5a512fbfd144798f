/** What somebody means who types a part of a name, the best first. */

interface Named {
  readonly title: string
  readonly group: string
  readonly words?: string | undefined
}

/** Whole words first, then the letters in order; undefined: not at all. Smaller is better. */
const distance = (typed: string, { title, group, words = "" }: Named): number | undefined => {
  const name = title.toLowerCase()
  if (name.startsWith(typed)) return 0
  const word = name.indexOf(` ${typed}`)
  if (word >= 0) return 1 + word / 1000
  const inside = name.indexOf(typed)
  if (inside >= 0) return 2 + inside / 1000
  if (`${words} ${group}`.toLowerCase().includes(typed)) return 3
  let from = 0
  let spread = 0
  for (const letter of typed) {
    if (letter === " ") continue
    const found = name.indexOf(letter, from)
    if (found < 0) return undefined
    spread += found - from
    from = found + 1
  }
  return 4 + spread / 1000
}

export const rank = <N extends Named>(typed: string, all: ReadonlyArray<N>): ReadonlyArray<N> => {
  const wanted = typed.trim().toLowerCase().slice(0, 100)
  if (wanted === "") return all
  return all
    .map((item, index) => ({ item, index, far: distance(wanted, item) }))
    .filter((entry): entry is typeof entry & { far: number } => entry.far !== undefined)
    .toSorted((a, b) => a.far - b.far || a.index - b.index)
    .map(({ item }) => item)
}
