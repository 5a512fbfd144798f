/** Work of one name, one after the other. Nothing is kept of a name whose work is done. */

/** Work that waits behind what does not end must not pile up. */
const longest = 16

interface Line {
  length: number
  last: Promise<unknown>
}

/** Fails at once when 16 are under way or wait. What fails does not stop those behind it. */
export const inOrder = (): (<A>(name: string, work: () => Promise<A>) => Promise<A>) => {
  const lines = new Map<string, Line>()
  return async (name, work) => {
    const line = lines.get(name) ?? { length: 0, last: Promise.resolve() }
    if (line.length === longest)
      throw new Error(`${longest} changes of this session's state have not ended yet. One more is refused.`)
    lines.set(name, line)
    line.length++
    const mine = line.last.then(work)
    line.last = mine.catch(() => {})
    try {
      return await mine
    } finally {
      if (--line.length === 0) lines.delete(name)
    }
  }
}
