import * as Schema from "effect/Schema"
import {
  at,
  count,
  flag,
  hash,
  kind,
  listOf,
  milliseconds,
  ms,
  number,
  oneOf,
  ratio,
  sessionName,
  shown,
  text,
} from "./fields.ts"
import { stamp } from "./kinds.ts"
import { TaskType } from "./sessions.ts"
import { bounds, heatSpans, taskOutcomes } from "./words.ts"

const { optionalKey, Struct } = Schema

const eventNames = [
  "Opening",
  "Opened",
  "OpenFailed",
  "Lost",
  "Quarantined",
  "Closing",
  "Closed",
  "LeakEnded",
  "TaskQueued",
  "TaskStarted",
  "TaskEnded",
  "LeaseTaken",
  "LeaseReleased",
  "LeaseExpired",
  "WarningRaised",
  "WarningCleared",
  "Refused",
  "DrainStarted",
  "DrainEnded",
  "EventsDropped",
] as const

const Evidence = Schema.Record(Schema.String, number("A number that it rests on.")).annotate({
  description: "The numbers it rests on.",
})

export const EventRow = Struct({
  n: count("Number of this event in the inspector, over all registries; a gap was dropped."),
  kind,
  seq: count("Its number in its registry; a gap was dropped."),
  at: at("When it happened."),
  what: oneOf(eventNames, "What happened, as `SessionEvent` says it."),
  session: optionalKey(hash),
  shown: optionalKey(shown),
  generation: optionalKey(count("Which generation of the stay.")),
  serial: optionalKey(count("Its number in the registry.")),
  task: optionalKey(
    Struct({
      id: text("The task's id, unique in its registry.", 64),
      name: text("Its name.", bounds.name),
      type: TaskType,
    }),
  ),
  outcome: optionalKey(oneOf(taskOutcomes, "What became of the task.")),
  reason: optionalKey(text("Why: a `CloseReason` or the reason of a refusal.", 64)),
  by: optionalKey(text("Who said that the generation is lost.", 64)),
  error: optionalKey(text("The error in words.")),
  durationMs: optionalKey(ms("How long it took.")),
  waitedMs: optionalKey(ms("From hand-in to start.")),
  ranMs: optionalKey(ms("From start to end.")),
  until: optionalKey(at("When the quarantine is over, or the next opening may be.")),
  leaked: optionalKey(flag("Something of it had not ended at its deadline.")),
  lease: optionalKey(text("The lease's name.", bounds.name)),
  warning: optionalKey(text("The warning's name.", 64)),
  evidence: optionalKey(Evidence),
  count: optionalKey(count("How many events were dropped.")),
}).annotate({ identifier: "Event", description: "One fact of a session's life." })
export type EventRow = typeof EventRow.Type

export const EventsAnswer = Struct({
  ...stamp,
  events: listOf(EventRow, "Oldest first.", bounds.events),
  last: count("The number of the newest event: ask for those `after` it."),
  dropped: count("Events between `after` and the first one that are not kept any more."),
}).annotate({ identifier: "Events", description: "What happened while somebody watched." })
export type EventsAnswer = typeof EventsAnswer.Type

export const EventQuery = Struct({
  after: optionalKey(count("Only events after this one; 0: all that are kept.")),
  limit: optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: bounds.events })).annotate({
      description: `Events at most, the newest, ${bounds.events}. Count.`,
    }),
  ),
  kind: optionalKey(
    Schema.Array(kind)
      .check(Schema.isMaxLength(bounds.filterValues))
      .annotate({ description: `Only events of this registry. At most ${bounds.filterValues}.` }),
  ),
  session: optionalKey(
    Schema.Array(sessionName)
      .check(Schema.isMaxLength(bounds.filterValues))
      .annotate({ description: `Only events of this session. At most ${bounds.filterValues}.` }),
  ),
}).annotate({ identifier: "EventQuery" })
export type EventQuery = typeof EventQuery.Type

export const WarningRow = Struct({
  id: text("Which warning of the catalogue.", 16),
  name: text("Its name.", 64),
  severity: text("How bad it is.", 32),
  scope: text("What it is about: a session, a task, a kind, the process.", 32),
  kind: optionalKey(kind),
  session: optionalKey(hash),
  shown: optionalKey(shown),
  task: optionalKey(
    Struct({
      id: text("The task's id, unique in its registry.", 64),
      name: text("Its name.", bounds.name),
    }),
  ),
  since: at("When it was raised."),
  definition: text("When it is raised, in words."),
  advice: text("What to do."),
  docs: text("The page that says more.", 256),
  evidence: Evidence,
  mutedUntil: optionalKey(at("Until when nobody wants to hear of it; absent: it is not muted.")),
}).annotate({ identifier: "Warning", description: "A warning that is raised." })
export type WarningRow = typeof WarningRow.Type

export const WarningCount = Struct({
  name: text("The warning's name.", 64),
  id: text("Its id in the catalogue.", 16),
  severity: text("How bad it is.", 32),
  scope: text("What it is about.", 32),
  definition: text("When it is raised, in words."),
  advice: text("What to do."),
  docs: text("The page that says more.", 256),
  active: count("Raised now."),
  muted: count("Of these, the muted ones."),
  activations: count("How often it was raised."),
}).annotate({ identifier: "WarningCount", description: "One warning of the catalogue, in numbers." })

export const WarningChange = Struct({
  what: oneOf(["raised", "cleared"], "What became of it."),
  at: at("When."),
  warning: WarningRow,
}).annotate({ identifier: "WarningChange" })

export const Warnings = Struct({
  total: count("Of the raised ones, those left out included."),
  warnings: listOf(WarningRow, "The raised ones, newest first."),
}).annotate({ identifier: "ActiveWarnings", description: "The warnings that are raised." })
export type Warnings = typeof Warnings.Type

export const WarningsAnswer = Struct({
  ...stamp,
  ...Warnings.fields,
  catalogue: listOf(WarningCount, "Every warning there is."),
  recent: listOf(WarningChange, "The last changes, newest first."),
}).annotate({ identifier: "Warnings" })
export type WarningsAnswer = typeof WarningsAnswer.Type

const named = (what: string) =>
  optionalKey(
    Schema.Array(text("A name.", bounds.name))
      .check(Schema.isMaxLength(bounds.filterValues))
      .annotate({ description: `${what} At most ${bounds.filterValues}.` }),
  )
const time = {
  kind: named("Only of this registry."),
  from: optionalKey(at("Where it begins; a quarter of an hour before `to`.")),
  to: optionalKey(at("Where it ends; with the newest reading.")),
  stepMs: optionalKey(milliseconds("At least so long to a point.", 1000, 86_400_000)),
  points: optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: bounds.points })).annotate({
      description: "Points at most, 300. Count.",
    }),
  ),
}
export const SeriesQuery = Struct({
  ...time,
  name: named("A series, or the part before its dot for all of the group; `process` is of the process."),
  together: optionalKey(flag("One column for all registries, instead of one for each.")),
}).annotate({ identifier: "SeriesQuery" })
export type SeriesQuery = typeof SeriesQuery.Type
export const HeatmapQuery = Struct({
  ...time,
  span: oneOf(heatSpans, "From hand-in to start, or from start to the real end."),
}).annotate({ identifier: "HeatmapQuery" })
export type HeatmapQuery = typeof HeatmapQuery.Type

const values = (description: string) =>
  Schema.Array(Schema.NullOr(Schema.Finite.annotate({ description: "In the column's unit." }))).annotate({
    description,
  })
const grid = {
  start: at("Where the first point begins."),
  stepMs: ms("The time a point stands for."),
  points: count("Points."),
  readingMs: ms("What one reading stands for."),
  covered: Schema.Array(ratio("Of the point's time.")).annotate({
    description: "The share of each point's time of which there are readings; 0: a gap.",
  }),
}
export const Column = Struct({
  kind: optionalKey(kind),
  name: text("What is measured.", bounds.name),
  unit: oneOf(
    ["sessions", "tasks", "leases", "perSecond", "ms", "ratio", "bytes"],
    "The unit of its values.",
  ),
  shows: oneOf(["mean", "max", "sum", "ratio"], "What a value says of the readings in its point."),
  values: values("One for each point; null: not read in that time, or nothing happened."),
  peaks: optionalKey(values("Of a mean: its highest value in one reading of each point.")),
}).annotate({ identifier: "Column", description: "One measure over time." })

export const Points = Struct({
  ...grid,
  columns: Schema.Array(Column).annotate({ description: "All on the same points." }),
}).annotate({ identifier: "Points", description: "Measures over time, on the same points." })
export type Points = typeof Points.Type

export const SeriesAnswer = Struct({ ...stamp, series: Points }).annotate({
  identifier: "Series",
  description: "The recent past, in numbers.",
})
export type SeriesAnswer = typeof SeriesAnswer.Type

export const HeatmapAnswer = Struct({
  ...stamp,
  heatmap: Struct({
    ...grid,
    boundsMs: Schema.Array(ms("The upper end of a row.")).annotate({
      description: "The upper ends of the rows; one more row is for what took longer.",
    }),
    counts: Schema.Array(Schema.NullOr(Schema.Array(count("Tasks of a row.")))).annotate({
      description: "For each point the tasks that ended in it, by row; null: not read.",
    }),
  }),
}).annotate({ identifier: "Heatmap", description: "How long tasks took, over time." })
export type HeatmapAnswer = typeof HeatmapAnswer.Type
