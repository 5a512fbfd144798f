/** Frames put together: what a client has after each of them is what the server saw, row for row. */
import type { EventRow, Points, Warnings } from "../protocol/events.ts"
import type { KindRow } from "../protocol/kinds.ts"
import type { SessionDetail } from "../protocol/sessions.ts"
import type { Delta, Frame } from "../protocol/stream.ts"
import type { SessionWindow, TaskWindow } from "../protocol/windows.ts"

/** What a live view shows. What has not changed since the frame before is the same object. */
export interface View {
  /** Of this life of the server: in another one all numbers begin anew. */
  readonly run: string
  /** Number of the look, and which it was of all looks. */
  readonly seq: number
  readonly snapshot: number
  /** When the server looked. Epoch milliseconds. */
  readonly t: number
  /** Events that this viewer has not been told, since it connected. */
  readonly dropped: number
  readonly overview?: ReadonlyArray<KindRow> | undefined
  readonly sessions?: SessionWindow | undefined
  readonly tasks?: TaskWindow | undefined
  /** Null: there is no such session any more. */
  readonly session?: SessionDetail | null | undefined
  readonly warnings?: Warnings | undefined
  /** Those of this frame alone, oldest first. */
  readonly events: ReadonlyArray<EventRow>
  /** The points of this frame alone. */
  readonly series?: Points | undefined
}

/** `before`: what there was; a full frame does not look at it. */
export const applyFrame = (before: View | undefined, frame: Frame): View => {
  const { delta } = frame
  const old = frame.full ? undefined : before
  return {
    run: frame.run,
    seq: frame.seq,
    snapshot: frame.snapshot,
    t: frame.t,
    dropped: frame.dropped,
    overview: kindsOf(old?.overview, delta.overview),
    sessions: windowOf(old?.sessions, delta.sessions),
    tasks: windowOf(old?.tasks, delta.tasks),
    session: delta.session === undefined ? old?.session : delta.session,
    warnings: delta.warnings ?? old?.warnings,
    events: delta.events ?? [],
    series: delta.series,
  }
}

const kindsOf = (old: View["overview"], delta: Delta["overview"]): View["overview"] =>
  delta === undefined ? old : inOrder(old ?? [], delta.kinds, delta.order, ({ kind }) => kind)

interface WindowDelta<Row, Facets> {
  readonly total?: number
  readonly offset?: number
  readonly unsearched?: number
  readonly facets?: Facets
  readonly rows: ReadonlyArray<Row>
  readonly order?: ReadonlyArray<string>
}
interface Window<Row, Facets> {
  readonly total: number
  readonly offset: number
  readonly unsearched: number
  readonly facets: Facets
  readonly rows: ReadonlyArray<Row>
}
const windowOf = <Row extends { readonly row: string }, Facets>(
  old: Window<Row, Facets> | undefined,
  delta: WindowDelta<Row, Facets> | undefined,
): Window<Row, Facets> | undefined => {
  if (delta === undefined) return old
  const facets = delta.facets ?? old?.facets
  // Without facets it is no frame that follows what there was.
  if (facets === undefined) return old
  return {
    total: delta.total ?? old?.total ?? 0,
    offset: delta.offset ?? old?.offset ?? 0,
    unsearched: delta.unsearched ?? old?.unsearched ?? 0,
    facets,
    rows: inOrder(old?.rows ?? [], delta.rows, delta.order, ({ row }) => row),
  }
}

const inOrder = <Row>(
  old: ReadonlyArray<Row>,
  changed: ReadonlyArray<Row>,
  order: ReadonlyArray<string> | undefined,
  nameOf: (row: Row) => string,
): ReadonlyArray<Row> => {
  if (changed.length === 0 && order === undefined) return old
  const rows = new Map(old.map((row) => [nameOf(row), row]))
  for (const row of changed) rows.set(nameOf(row), row)
  return (order ?? old.map(nameOf)).flatMap((name) => {
    const row = rows.get(name)
    return row === undefined ? [] : [row]
  })
}
