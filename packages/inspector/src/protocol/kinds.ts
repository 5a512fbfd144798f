import * as Schema from "effect/Schema"
import { at, count, kind, listOf, ms, oneOf, text } from "./fields.ts"
import { bounds, phases, sessionStates, taskOutcomes } from "./words.ts"

const { optionalKey, Struct } = Schema

/** A count for each word of a fixed list. */
export const counts = <const L extends ReadonlyArray<string>>(
  words: L,
  description: (word: L[number]) => string,
) =>
  Struct(
    Object.fromEntries(words.map((word) => [word, count(description(word))])) as {
      readonly [K in L[number]]: ReturnType<typeof count>
    },
  )

export const Durations = Struct({
  count: count("How many."),
  sumMs: ms("All together."),
  meanMs: ms("Their mean, 0 where there are none."),
  p50Ms: optionalKey(ms("Half of them took at most this long; too large by at most an eighth.")),
  p90Ms: optionalKey(ms("90 of 100 took at most this long.")),
  p95Ms: optionalKey(ms("95 of 100 took at most this long.")),
  p99Ms: optionalKey(ms("99 of 100 took at most this long.")),
}).annotate({ identifier: "Durations", description: "Durations since the registry was made." })
export type Durations = typeof Durations.Type

export const Limits = Struct({
  maxSessions: optionalKey(count("Live sessions; absent: as many as there are.")),
  maxPerOwner: optionalKey(count("Live sessions of one owner; absent: as many as there are.")),
  maxQueued: optionalKey(count("Turns waiting in one session; absent: as many as there are.")),
  concurrency: optionalKey(count("Turns at once in one session; absent: as many as there are.")),
  idleTimeoutMs: optionalKey(ms("After this long without use a session closes; absent: never.")),
}).annotate({ identifier: "Limits", description: "A registry's limits. Absent: none." })

const liveStates = sessionStates.filter((state) => state !== "Closed")
export const Gauges = Struct({
  live: count("Sessions in any state but Closed."),
  states: counts(liveStates, (state) => `Sessions that are ${state}.`),
  idle: count("Of the ready ones, those that nobody uses."),
  queued: count("Turns, streams and background work that wait."),
  running: count("Turns, streams and background work that run."),
  stopping: count("Of those that run, how many have been told to stop."),
  leases: count("Leases held."),
  leaked: count("Generations that were abandoned and have not ended."),
  warnings: count("Warnings that are active."),
  oldestIdleSince: optionalKey(at("Since when the longest idle session is idle.")),
}).annotate({ identifier: "Gauges", description: "Now." })

const byWord = (what: string) =>
  Schema.Record(Schema.String, count(what)).annotate({ description: `${what} By reason.` })
const outcomesOfOpening = ["succeeded", "failed", "timedOut", "cancelled"] as const
const openingCounts = counts(outcomesOfOpening, (outcome) => `Openings that ${outcome}.`)

export const Totals = Struct({
  outcomes: counts(taskOutcomes, (outcome) => `Tasks that were ${outcome}.`),
  acquisitions: counts(["hit", "joined", "miss"], (how) => `Uses that came to their session by ${how}.`),
  refusals: byWord("Tasks and leases refused."),
  stops: byWord("Tasks told to stop."),
  openings: Struct({ first: openingCounts, again: openingCounts }).annotate({
    description: "Of a stay's first generation, and of those that replace one.",
  }),
  ends: byWord("Generations that ended."),
  probes: counts(["good", "bad"], (answer) => `Probes whose answer was ${answer}.`),
  lost: count("Generations that were broken or unresponsive."),
  abandoned: count("Tasks that would not end and were given up."),
  leaks: count("Generations abandoned at their close deadline."),
  late: count("Abandoned work that has ended after all."),
  unobserved: count("Background work that failed: nobody was there to be told."),
  reentrant: count("Calls refused because they would have waited for themselves."),
  defects: count("Mistakes of Sojourn; please report them."),
  listenerErrors: count("What listeners threw."),
  droppedEvents: count("Events that were not told."),
}).annotate({ identifier: "Totals", description: "Since the registry was made." })

export const KindRow = Struct({
  kind,
  phase: oneOf(phases, "What the registry does with new work."),
  drain: optionalKey(
    Struct({
      since: at("When it began."),
      cutAt: optionalKey(at("When what still runs is told to stop.")),
    }).annotate({ description: "Absent: it does not drain." }),
  ),
  limits: Limits,
  gauges: Gauges,
  totals: Totals,
  durations: Struct({
    waits: Durations,
    runs: Durations,
    stopping: Durations,
    opens: Durations,
    closes: Durations,
    lifetimes: Durations,
  }),
}).annotate({ identifier: "Kind", description: "One registry." })
export type KindRow = typeof KindRow.Type

export const TaskName = Struct({
  name: text("The name; `other` beyond the first 50.", bounds.name),
  started: count("Tasks of this name that were started."),
  outcomes: counts(taskOutcomes, (outcome) => `Tasks of this name that were ${outcome}.`),
  runs: Durations,
}).annotate({ identifier: "TaskName", description: "Tasks of one name, since the registry was made." })

/** What every answer begins with. */
export const stamp = {
  protocolVersion: Schema.Literal(1).annotate({ description: "The version of this protocol." }),
  snapshot: count("Which look at the registries: all numbers of an answer are from this one."),
  at: at("When the server looked."),
}

export const Overview = Struct({
  ...stamp,
  kinds: Schema.Array(KindRow).annotate({ description: "Every registry, in the order of their making." }),
}).annotate({ identifier: "Overview", description: "Every registry, in numbers." })
export type Overview = typeof Overview.Type

export const KindDetail = Struct({
  ...stamp,
  kind: KindRow,
  tasks: listOf(TaskName, "What is known of tasks by their name."),
}).annotate({ identifier: "KindDetail", description: "One registry, with its tasks by name." })
export type KindDetail = typeof KindDetail.Type
