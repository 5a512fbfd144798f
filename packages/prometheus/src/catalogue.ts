/**
 * Every metric there is: what it is called, what it means, and where its numbers are from. The register, the documentation
 * and the tests are made from this one list. Seconds everywhere; names without the prefix.
 */
import type { DurationStats, Gauges, Inspection, NamedTasks } from "@sojourn/core/inspect"
import type { LoopReading } from "./LoopWatch.ts"
import type { CountedWarning } from "./Warned.ts"

/** What was read of one registry in one scrape. */
export interface Reading {
  readonly inspection: Inspection
  readonly kind: string
  /** `kind` is its own name, and not what all are called for whom there is no room. */
  readonly hasLabel: boolean
  readonly gauges: Gauges
  readonly tasks: ReadonlyArray<NamedTasks>
  /** The label of a task of this name. */
  readonly taskOf: (name: string) => string
  /** Tasks whose label is not their name. */
  readonly others: number
  /** Epoch milliseconds. */
  readonly oldestTaskSince: number | undefined
}
/** The values of the labels after `kind`, and what was counted. */
type Counted = readonly [labels: ReadonlyArray<string>, value: number]
type Timed = readonly [labels: ReadonlyArray<string>, durations: DurationStats]

interface Named {
  readonly name: string
  readonly help: string
}
interface OfRegistries extends Named {
  /** After `kind`, which all of them have. */
  readonly labels: ReadonlyArray<string>
}
/** `together`: of the registries of one kind, and of several processes. */
interface CounterDefinition extends OfRegistries {
  readonly type: "counter"
  readonly together: "sum"
  readonly read: (reading: Reading) => ReadonlyArray<Counted>
}
interface GaugeDefinition extends OfRegistries {
  readonly type: "gauge"
  readonly together: "sum" | "min"
  readonly read: (reading: Reading) => ReadonlyArray<Counted>
}
interface HistogramDefinition extends OfRegistries {
  readonly type: "histogram"
  readonly together: "sum"
  /** Seconds. Only 1, 2.5 and 5 of a decade: there the counts are exact. */
  readonly buckets: ReadonlyArray<number>
  readonly read: (reading: Reading) => ReadonlyArray<Timed>
}
export type Definition = CounterDefinition | GaugeDefinition | HistogramDefinition

const counter = (
  name: string,
  labels: ReadonlyArray<string>,
  help: string,
  read: CounterDefinition["read"],
): CounterDefinition => ({ type: "counter", name, labels, help, read, together: "sum" })
const gauge = (
  name: string,
  labels: ReadonlyArray<string>,
  help: string,
  read: GaugeDefinition["read"],
): GaugeDefinition => ({ type: "gauge", name, labels, help, read, together: "sum" })
/** A moment, not an age: none at all while there is nothing it could be of. */
const moment = (
  name: string,
  help: string,
  read: (reading: Reading) => number | undefined,
): GaugeDefinition => ({
  type: "gauge",
  name,
  labels: [],
  help,
  together: "min",
  read: (reading) => {
    const at = read(reading)
    return at === undefined ? [] : [[[], at / 1000]]
  },
})
const histogram = (
  name: string,
  labels: ReadonlyArray<string>,
  buckets: ReadonlyArray<number>,
  help: string,
  read: HistogramDefinition["read"],
): HistogramDefinition => ({ type: "histogram", name, labels, buckets, help, read, together: "sum" })

const each = (counts: Readonly<Record<string, number>>): ReadonlyArray<Counted> =>
  Object.entries(counts).map(([label, count]) => [[label], count])
const one = (count: number): ReadonlyArray<Counted> => [[[], count]]
const all = (durations: DurationStats): ReadonlyArray<Timed> => [[[], durations]]

const waits = [1e-4, 1e-3, 0.005, 0.025, 0.1, 0.5, 1, 5, 25]
const opens = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50]
const closes = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 25]
const lives = [1, 10, 50, 250, 1000, 2500, 10_000, 50_000, 100_000]
const drains = [0.1, 0.5, 1, 5, 10, 25, 50, 100]
export const runs: ReadonlyArray<number> = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 250,
]
const stops = [0.001, 0.01, 0.1, 1, 5, 25]

export const catalogue: ReadonlyArray<Definition> = [
  gauge("registries", ["phase"], "Registries that have not drained.", ({ inspection: { phase } }) => [
    [["accepting"], phase === "accepting" ? 1 : 0],
    [["draining"], phase === "draining" ? 1 : 0],
  ]),
  gauge("sessions", ["state"], "Sessions by state; their sum is how many are live.", ({ gauges }) =>
    each(gauges.sessions),
  ),
  gauge("sessions_idle", [], "Ready sessions that nobody uses.", ({ gauges }) => one(gauges.idle)),
  gauge("sessions_limit", [], "maxSessions; none where it is Infinity.", ({ inspection: { limits } }) =>
    limits.maxSessions === Infinity ? [] : one(limits.maxSessions),
  ),
  gauge(
    "sessions_leaked",
    [],
    "Generations that were abandoned while closing and have not ended.",
    ({ gauges }) => one(gauges.leaked),
  ),
  gauge("session_leases", [], "Leases that are held.", ({ gauges }) => one(gauges.leases)),
  moment(
    "session_oldest_idle_timestamp_seconds",
    "Since when the longest idle session is idle; none while none is.",
    ({ gauges }) => gauges.oldestIdleSince,
  ),
  counter(
    "session_acquisitions_total",
    ["result"],
    "How uses came to their session: it was ready, on its way, or had to be opened.",
    ({ inspection }) => each(inspection.totals.acquisitions),
  ),
  histogram(
    "session_acquire_duration_seconds",
    ["result"],
    waits,
    "From hand-in until the session was ready, of uses that had to wait for that; hits did not.",
    ({ inspection: { durations } }) =>
      Object.entries(durations.acquires).map(([result, acquires]): Timed => [[result], acquires]),
  ),
  counter(
    "session_refusals_total",
    ["reason"],
    "Tasks and leases refused, by SessionRefused reason.",
    ({ inspection }) => each(inspection.totals.refusals),
  ),
  counter(
    "session_openings_total",
    ["generation", "outcome"],
    "Openings of the first generation of a stay, and of those that replace one.",
    ({ inspection }) =>
      Object.entries(inspection.totals.openings).flatMap(([generation, outcomes]) =>
        each(outcomes).map(([labels, count]): Counted => [[generation, ...labels], count]),
      ),
  ),
  histogram(
    "session_open_duration_seconds",
    ["outcome"],
    opens,
    "From the begin of an opening until it was ready, had failed, or was given up.",
    ({ inspection: { durations } }) =>
      Object.entries(durations.openingTimes).map(([outcome, times]): Timed => [[outcome], times]),
  ),
  counter("session_closes_total", ["reason"], "Generations that ended, by why.", ({ inspection }) =>
    each(inspection.totals.ends),
  ),
  histogram(
    "session_close_duration_seconds",
    [],
    closes,
    "From the begin of closing until all was released or abandoned.",
    ({ inspection }) => all(inspection.durations.closes),
  ),
  histogram("session_lifetime_seconds", [], lives, "From ready to closing.", ({ inspection }) =>
    all(inspection.durations.lifetimes),
  ),
  counter("session_probes_total", ["answer"], "Probes, by whether the resource was good.", ({ inspection }) =>
    each(inspection.totals.probes),
  ),
  counter("session_lost_total", [], "Generations that were broken or unresponsive.", ({ inspection }) =>
    one(inspection.totals.lost),
  ),
  counter("session_leaks_total", [], "Generations abandoned at their close deadline.", ({ inspection }) =>
    one(inspection.totals.leaks),
  ),
  gauge(
    "tasks",
    ["state"],
    "Turns, streams and background work, by state; stopping: told to stop, and not ended.",
    ({ gauges }) => [
      [["queued"], gauges.queued],
      [["running"], gauges.running - gauges.stopping],
      [["stopping"], gauges.stopping],
    ],
  ),
  moment(
    "task_oldest_start_timestamp_seconds",
    "When the longest running task was started; none while none runs.",
    ({ oldestTaskSince }) => oldestTaskSince,
  ),
  counter("tasks_started_total", ["task"], "Tasks that were started.", ({ taskOf, tasks }) =>
    tasks.map(({ name, started }): Counted => [[taskOf(name)], started]),
  ),
  counter(
    "tasks_completed_total",
    ["task", "outcome"],
    "Tasks that are over, those that were never started among them.",
    ({ taskOf, tasks }) =>
      tasks.flatMap(({ name, outcomes }) =>
        each(outcomes).map(([labels, count]): Counted => [[taskOf(name), ...labels], count]),
      ),
  ),
  histogram("task_duration_seconds", ["task"], runs, "From start to the real end.", ({ taskOf, tasks }) =>
    tasks.map(({ name, runs: durations }): Timed => [[taskOf(name)], durations]),
  ),
  histogram("task_queue_wait_seconds", [], waits, "From hand-in to start.", ({ inspection }) =>
    all(inspection.durations.waits),
  ),
  counter("task_stops_total", ["reason"], "Tasks told to stop, by TaskStopped reason.", ({ inspection }) =>
    each(inspection.totals.stops),
  ),
  histogram(
    "task_stop_duration_seconds",
    [],
    stops,
    "From being told to stop to the real end, or until it was abandoned.",
    ({ inspection }) => all(inspection.durations.stopping),
  ),
  counter("tasks_abandoned_total", [], "Tasks that would not end and were given up.", ({ inspection }) =>
    one(inspection.totals.abandoned),
  ),
  counter("tasks_ended_late_total", [], "Abandoned tasks that have ended after all.", ({ inspection }) =>
    one(inspection.totals.late),
  ),
  counter(
    "tasks_failed_unobserved_total",
    [],
    "Background work that failed: nobody was there to be told.",
    ({ inspection }) => one(inspection.totals.unobserved),
  ),
  counter(
    "calls_reentrant_total",
    [],
    "Calls refused because they would have waited for themselves.",
    ({ inspection }) => one(inspection.totals.reentrant),
  ),
  counter(
    "drains_total",
    ["outcome"],
    "Registries that have drained, by the worst of it: all was finished, tasks were cut, or something leaked.",
    ({ inspection }) => each(inspection.totals.drains),
  ),
  histogram("drain_duration_seconds", [], drains, "From the begin of a drain to its end.", ({ inspection }) =>
    all(inspection.durations.drainTimes),
  ),
  counter("events_dropped_total", [], "Events that a slow subscriber did not get.", ({ inspection }) =>
    one(inspection.totals.droppedEvents),
  ),
  counter("listener_errors_total", [], "Errors thrown by subscribers.", ({ inspection }) =>
    one(inspection.totals.listenerErrors),
  ),
  counter(
    "label_overflow_total",
    ["label"],
    "Registries and tasks that are counted under other, for want of a label.",
    ({ hasLabel, others }) => [
      [["kind"], hasLabel ? 0 : 1],
      [["task"], others],
    ],
  ),
  counter("defects_total", [], "Mistakes of Sojourn itself; please report them.", ({ inspection }) =>
    one(inspection.totals.defects),
  ),
]

/** What was read of the process in one scrape. */
interface ProcessReading {
  readonly versions: ReadonlyArray<string>
  readonly loop: LoopReading
  readonly scrapeSeconds: number
  readonly scrapeErrors: number
  readonly warnings: ReadonlyArray<CountedWarning>
}
export interface ProcessDefinition extends Named {
  readonly type: "counter" | "gauge" | "histogram"
  readonly labels: ReadonlyArray<string>
  /** Has no prefix: it is the process's, not Sojourn's. */
  readonly bare?: true
  readonly buckets?: ReadonlyArray<number>
  /** Of several processes. */
  readonly together: "sum" | "max"
  /** For each set of labels one number; of a histogram up to each bucket, all, and their sum. */
  readonly read: (
    reading: ProcessReading,
  ) => ReadonlyArray<readonly [labels: ReadonlyArray<string>, ...values: Array<number>]>
}

/** Seconds. */
export const stallBuckets: ReadonlyArray<number> = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

/** The scrape's own figures are last, so that the others are in them. */
export const processCatalogue: ReadonlyArray<ProcessDefinition> = [
  {
    type: "gauge",
    name: "build_info",
    labels: ["version", "node", "effect"],
    help: "Which versions run; always 1, across processes how many.",
    together: "sum",
    read: ({ versions }) => [[versions, 1]],
  },
  {
    type: "gauge",
    name: "nodejs_eventloop_utilization_ratio",
    bare: true,
    labels: [],
    help: "Share of the last second in which the event loop was busy.",
    together: "max",
    read: ({ loop }) => [[[], loop.utilization]],
  },
  {
    type: "histogram",
    name: "eventloop_stall_seconds",
    labels: [],
    buckets: stallBuckets,
    help: "The longest that the event loop was late, of each second.",
    together: "sum",
    read: ({ loop }) => [[[], ...loop.upTo, loop.count, loop.sum]],
  },
  {
    type: "gauge",
    name: "warnings_active",
    labels: ["warning", "severity"],
    help: "Warnings that are raised now, muted ones among them.",
    together: "sum",
    read: ({ warnings }) => warnings.map(({ active, name, severity }) => [[name, severity], active]),
  },
  {
    type: "counter",
    name: "warning_activations_total",
    labels: ["warning", "severity"],
    help: "How often each warning was raised.",
    together: "sum",
    read: ({ warnings }) =>
      warnings.map(({ activations, name, severity }) => [[name, severity], activations]),
  },
  {
    type: "counter",
    name: "scrape_errors_total",
    labels: [],
    help: "Registries, or counts of them, that could not be read.",
    together: "sum",
    read: ({ scrapeErrors }) => [[[], scrapeErrors]],
  },
  {
    type: "gauge",
    name: "scrape_duration_seconds",
    labels: [],
    help: "How long this scrape has taken until here, what the process did in between included.",
    together: "max",
    read: ({ scrapeSeconds }) => [[[], scrapeSeconds]],
  },
]
