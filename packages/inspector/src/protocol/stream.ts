/** The live stream: `text/event-stream`, each event one frame. */
import * as Schema from "effect/Schema"
import { at, count, flag, listOf, sessionName, text } from "./fields.ts"
import { EventRow, Points, Warnings } from "./events.ts"
import { KindRow } from "./kinds.ts"
import { SessionDetail, SessionRow, TaskRow } from "./sessions.ts"
import { SessionFacets, TaskFacets } from "./windows.ts"
import { bounds } from "./words.ts"

const { optionalKey, Struct } = Schema

const windowDelta = <Row extends Schema.Constraint, Facets extends Schema.Constraint>(
  row: Row,
  facets: Facets,
) =>
  Struct({
    total: optionalKey(count("Rows that match.")),
    offset: optionalKey(count("Rows before the first one.")),
    unsearched: optionalKey(count("Sessions not looked at yet in a search by text.")),
    facets: optionalKey(facets),
    rows: listOf(row, "Those that are new or have changed.", bounds.limit),
    order: optionalKey(
      listOf(
        text("A row.", bounds.name + 65),
        "`row` of all in the window, in order. Absent: as before.",
        bounds.limit,
      ),
    ),
  }).annotate({ description: "What changed in the window. What is absent is as before." })

export const Delta = Struct({
  overview: optionalKey(
    Struct({
      kinds: Schema.Array(KindRow).annotate({ description: "Those that are new or have changed." }),
      order: optionalKey(
        Schema.Array(text("A registry's name.", bounds.name)).annotate({
          description: "All of them, in order.",
        }),
      ),
    }),
  ),
  sessions: optionalKey(windowDelta(SessionRow, SessionFacets)),
  tasks: optionalKey(windowDelta(TaskRow, TaskFacets)),
  session: optionalKey(
    Schema.NullOr(SessionDetail).annotate({ description: "Whole; null: there is no such session any more." }),
  ),
  warnings: optionalKey(Warnings),
  events: optionalKey(listOf(EventRow, "Those since the last frame, oldest first.", bounds.events)),
  series: optionalKey(Points.annotate({ description: "The points since the last frame." })),
}).annotate({
  identifier: "Delta",
  description: "What changed since the last frame. What is absent is as before.",
})
export type Delta = typeof Delta.Type

export const Frame = Struct({
  protocolVersion: Schema.Literal(1).annotate({ description: "The version of this protocol." }),
  run: text("Of this life of the server: in another one all numbers begin anew.", 32),
  seq: count("Number of the look in this view; a gap was coalesced, and its changes are in the next frame."),
  t: at("When the server looked."),
  snapshot: count("Which look at the registries: all numbers of a frame are from this one."),
  full: flag("It holds everything: forget what came before."),
  dropped: count("Events that this viewer has not been told, since it connected."),
  delta: Delta,
}).annotate({ identifier: "Frame", description: "What a live stream sends with each look." })
export type Frame = typeof Frame.Type

export const Snapshot = Struct({
  id: text("To be given as `after` next time, or as Last-Event-ID of a stream.", 128),
  ...Frame.fields,
}).annotate({ identifier: "Snapshot", description: "One frame, for who cannot hold a stream." })
export type Snapshot = typeof Snapshot.Type

export const StreamQuery = Struct({
  view: text(
    "What to send, parted by commas: overview, sessions or tasks, session, warnings, events, series. The filters, the order and the page of the rows are given as for GET /sessions and GET /tasks.",
    128,
  ),
  everyMs: optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: bounds.every.least, maximum: bounds.every.most })).annotate({
      description: `The time between frames, ${bounds.every.usual}. Milliseconds.`,
    }),
  ),
  of: optionalKey(sessionName),
  series: optionalKey(
    text(
      "Which series to send, parted by commas: names, or the part before the dot for all of a group; sessions, tasks, started, ended, runs, process.",
      512,
    ),
  ),
}).annotate({ identifier: "StreamQuery" })
export type StreamQuery = typeof StreamQuery.Type

export const SnapshotQuery = Struct({
  ...StreamQuery.fields,
  after: optionalKey(text("The id of the frame before: then only what has changed since is told.", 128)),
}).annotate({ identifier: "SnapshotQuery" })
export type SnapshotQuery = typeof SnapshotQuery.Type
