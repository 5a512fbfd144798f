/**
 * Which row is shown in which place. While somebody points at, walks through or selects rows, each place keeps its row, its
 * values go on changing, and what the server would show instead is counted. Pure.
 */
import type { RowWindow } from "./rows.ts"

export interface Placed<Row> {
  readonly id: string
  readonly row: Row
  /** The server has it in this window no more: what is shown of it is the last that was known. */
  readonly left: boolean
}

export interface Arrangement<Row> {
  readonly total: number
  readonly at: ReadonlyMap<number, Placed<Row>>
  /** Of what the server would show in these places. */
  readonly waiting: { readonly added: number; readonly moved: number; readonly gone: number }
}

const none = { added: 0, moved: 0, gone: 0 }

/** Places this far from the window are forgotten. */
const reach = 1000

const sameWaiting = (a: Arrangement<unknown>["waiting"], b: Arrangement<unknown>["waiting"]): boolean =>
  a.added === b.added && a.moved === b.moved && a.gone === b.gone

/** `before`: what was shown; without it, and where nothing is to be kept, the window as it is. */
export const arrange = <Row>(
  before: Arrangement<Row> | undefined,
  { total, offset, rows }: RowWindow<Row>,
  idOf: (row: Row) => string,
  keep: boolean,
): Arrangement<Row> => {
  const at = new Map<number, Placed<Row>>()
  if (!keep || before === undefined) {
    const known = new Map<string, Placed<Row>>()
    for (const placed of before?.at.values() ?? []) known.set(placed.id, placed)
    for (const [index, row] of rows.entries())
      at.set(offset + index, unchanged(known.get(idOf(row)), idOf(row), row, false))
    return { total, at, waiting: none }
  }
  const latest = new Map(rows.map((row) => [idOf(row), row]))
  const shown = new Set<string>()
  for (const [index, placed] of before.at) {
    if (index < offset - reach || index >= offset + rows.length + reach) continue
    const row = latest.get(placed.id)
    const inside = index >= offset && index < offset + rows.length
    at.set(
      index,
      unchanged(placed, placed.id, row ?? placed.row, row === undefined && (inside || placed.left)),
    )
    shown.add(placed.id)
  }
  let added = 0
  let moved = 0
  for (const [step, row] of rows.entries()) {
    const index = offset + step
    const id = idOf(row)
    const placed = at.get(index)
    if (placed === undefined) {
      // Beyond the end as it was, nothing is shown until the changes are.
      if (index >= before.total) added += 1
      else at.set(index, { id, row, left: false })
    } else if (placed.id !== id) {
      if (shown.has(id)) moved += 1
      else added += 1
    }
  }
  let gone = 0
  for (const { left } of at.values()) if (left) gone += 1
  const waiting = { added, moved, gone }
  return {
    total: before.total,
    at,
    waiting: sameWaiting(waiting, before.waiting) ? before.waiting : waiting,
  }
}

/** The same object where nothing changed, so that nothing of it is rendered. */
const unchanged = <Row>(before: Placed<Row> | undefined, id: string, row: Row, left: boolean): Placed<Row> =>
  before !== undefined && before.id === id && before.row === row && before.left === left
    ? before
    : { id, row, left }

/** In words for the button that shows them; undefined where nothing waits. */
export const waitingWords = ({ added, moved, gone }: Arrangement<unknown>["waiting"]): string | undefined => {
  const words = [
    ...(added > 0 ? [`${added} new`] : []),
    ...(moved > 0 ? [`${moved} reordered`] : []),
    ...(gone > 0 ? [`${gone} gone`] : []),
  ]
  return words.length === 0 ? undefined : words.join(", ")
}
