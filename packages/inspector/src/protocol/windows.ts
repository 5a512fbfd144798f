/** What is asked for rows, and what comes: a window onto all of them, made by the server. */
import * as Schema from "effect/Schema"
import { count, flag, kind, listOf, milliseconds, oneOf, sessionName, text } from "./fields.ts"
import { counts, stamp } from "./kinds.ts"
import { SessionRow, SessionState, TaskRow, TaskState, TaskType } from "./sessions.ts"
import {
  bounds,
  liveTaskStates,
  sessionColumns,
  sessionStates,
  taskColumns,
  taskOutcomes,
  taskTypes,
} from "./words.ts"

const { optionalKey, Struct } = Schema

const several = <S extends Schema.Constraint>(value: S, what: string) =>
  optionalKey(
    Schema.Array(value)
      .check(Schema.isMaxLength(bounds.filterValues))
      .annotate({
        description: `Only ${what}; give it several times for several. At most ${bounds.filterValues}.`,
      }),
  )
const sortBy = <const L extends ReadonlyArray<string>>(columns: L, description: string) =>
  optionalKey(
    oneOf(
      columns.flatMap((column): ReadonlyArray<L[number] | `-${L[number]}`> => [column, `-${column}`]),
      description,
    ),
  )
const page = {
  offset: optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: bounds.offset })).annotate({
      description: "Rows left out before the first one, 0. Count.",
    }),
  ),
  limit: optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: bounds.limit })).annotate({
      description: `Rows at most, ${bounds.usualLimit}. Count.`,
    }),
  ),
}
const contains = optionalKey(
  text(
    "Only rows one of whose texts contains this, in whatever case; or whose hash begins with it.",
    bounds.filterText,
  ),
)
export const SessionFilter = Struct({
  kind: several(kind, "sessions of this registry"),
  state: several(SessionState, "sessions in this state; without it all but the closed ones"),
  idle: optionalKey(flag("Only sessions that are idle, or that are not.")),
  warned: optionalKey(flag("Only sessions with active warnings, or without.")),
  text: contains,
}).annotate({ identifier: "SessionFilter" })
export type SessionFilter = typeof SessionFilter.Type

export const SessionQuery = Struct({
  ...SessionFilter.fields,
  sort: sortBy(
    sessionColumns,
    "Column; with `-` before it the largest first. What has none comes last. Usual: oldestTaskAt.",
  ),
  ...page,
}).annotate({ identifier: "SessionQuery" })
export type SessionQuery = typeof SessionQuery.Type

export const TaskFilter = Struct({
  kind: several(kind, "tasks of this registry"),
  session: several(sessionName, "tasks of this session"),
  state: several(TaskState, "tasks in this state"),
  type: several(TaskType, "tasks of this sort"),
  name: several(text("A task's name.", bounds.name), "tasks of this name"),
  olderThanMs: optionalKey(milliseconds("Only tasks handed in longer ago.", 0, 31_536_000_000)),
  text: contains,
}).annotate({ identifier: "TaskFilter" })
export type TaskFilter = typeof TaskFilter.Type

export const TaskQuery = Struct({
  ...TaskFilter.fields,
  ended: optionalKey(flag("Instead of those that live: the last 256 of each registry that have ended.")),
  sort: sortBy(
    taskColumns,
    "Column; with `-` before it the largest first. What has none comes last. Usual: queuedAt; of ended ones -endedAt.",
  ),
  ...page,
}).annotate({ identifier: "TaskQuery" })
export type TaskQuery = typeof TaskQuery.Type

const Named = Struct({ name: text("The value.", bounds.name), count: count("Rows that have it.") })
const facetNote = "Rows that match all filters but the one of this very field."

export const SessionFacets = Struct({
  state: counts(sessionStates, (state) => `${state}. ${facetNote}`),
  kind: listOf(Named, facetNote, bounds.filterValues),
  idle: count(`Idle. ${facetNote}`),
  warned: count(`With warnings. ${facetNote}`),
}).annotate({ identifier: "SessionFacets", description: "How many rows each value of a filter would give." })
export type SessionFacets = typeof SessionFacets.Type

export const TaskFacets = Struct({
  state: counts([...liveTaskStates, ...taskOutcomes], (state) => `${state}. ${facetNote}`),
  type: counts(taskTypes, (type) => `${type}. ${facetNote}`),
  kind: listOf(Named, facetNote, bounds.filterValues),
  name: listOf(Named, `The most frequent. ${facetNote}`, bounds.filterValues),
}).annotate({ identifier: "TaskFacets", description: "How many rows each value of a filter would give." })
export type TaskFacets = typeof TaskFacets.Type

const inWindow = {
  total: count("Rows that match."),
  offset: count("Rows before the first one."),
  unsearched: count(
    "Sessions whose name or hash was not looked at yet, in a search by text: the next look goes on with them.",
  ),
}
export const SessionWindow = Struct({
  ...inWindow,
  facets: SessionFacets,
  rows: listOf(SessionRow, "In the order asked for.", bounds.limit),
}).annotate({ identifier: "SessionWindow", description: "A window onto the sessions of all registries." })
export type SessionWindow = typeof SessionWindow.Type
export const TaskWindow = Struct({
  ...inWindow,
  facets: TaskFacets,
  rows: listOf(TaskRow, "In the order asked for.", bounds.limit),
}).annotate({ identifier: "TaskWindow", description: "A window onto the tasks of all registries." })
export type TaskWindow = typeof TaskWindow.Type

export const SessionsAnswer = Struct({ ...stamp, sessions: SessionWindow }).annotate({
  identifier: "Sessions",
})
export const TasksAnswer = Struct({ ...stamp, tasks: TaskWindow }).annotate({ identifier: "Tasks" })
