/** The alert rules: what somebody should look at, with how long it must last and what to read about it. */
import { expressions, sumWithout } from "./promql.ts"

const { increase, quantile, rate, series } = expressions()

export interface Alert {
  readonly name: string
  /** `critical`: users feel it now, or we are at fault. `info`: worth a look when there is time. */
  readonly severity: "critical" | "warning" | "info"
  readonly for: string
  readonly expr: string
  readonly summary: string
  readonly description: string
}

/** Who is meant, in the words of the annotations. */
const kind = "{{ $labels.kind }} on {{ $labels.instance }}"
const value = (format: "humanize" | "humanizeDuration" | "humanizePercentage"): string =>
  `{{ $value | ${format} }}`

/** Reasons that mean there was no room. */
const full = "=~MaxSessions|MaxPerOwner|MaxHeap|MaxLeaked|MaxQueued|QueueTimeout"
const refused = sumWithout(["reason"], rate("session_refusals_total", "5m", { reason: full }))
const acquired = sumWithout(["result"], rate("session_acquisitions_total", "5m"))
const openings = (outcome: string): string =>
  sumWithout(["generation", "outcome"], rate("session_openings_total", "10m", { outcome }))
const completed = (outcome: string): string =>
  sumWithout(["task", "outcome"], rate("tasks_completed_total", "10m", { outcome }))
const stalled = "0.25"

export const alerts: ReadonlyArray<Alert> = [
  {
    name: "SojournRefusing",
    severity: "critical",
    for: "5m",
    expr: `${refused} / (${refused} + ${acquired}) > 0.01`,
    summary: `${kind} refuses ${value("humanizePercentage")} of its uses for want of room`,
    description: "A limit is reached: sessions, an owner's share, the queue of a session, or the heap.",
  },
  {
    name: "SojournNearLimit",
    severity: "warning",
    for: "10m",
    expr: `${sumWithout(["state"], series("sessions"))} / ${series("sessions_limit")} > 0.9`,
    summary: `${kind} uses ${value("humanizePercentage")} of maxSessions`,
    description:
      "Soon the longest idle sessions are closed for new ones, and when none is idle, uses wait and are refused.",
  },
  {
    name: "SojournOpeningsFail",
    severity: "critical",
    for: "5m",
    expr: `${openings("=~failed|timedOut")} / ${openings("!=cancelled")} > 0.2`,
    summary: `${value("humanizePercentage")} of the openings of ${kind} fail`,
    description:
      "What `open` needs does not answer, or answers too late. Everyone who waits for such an opening is told so.",
  },
  {
    name: "SojournQuarantined",
    severity: "warning",
    for: "2m",
    expr: `${series("sessions", { state: "Quarantined" })} > 0`,
    summary: `${value("humanize")} keys of ${kind} are quarantined`,
    description:
      "Their resources were lost more often than `restart` allows; their uses are refused until a trial succeeds.",
  },
  {
    name: "SojournLosing",
    severity: "warning",
    for: "0m",
    expr: `${increase("session_lost_total", "15m")} > 5`,
    summary: `${kind} has lost ${value("humanize")} resources in 15 minutes`,
    description: "Resources break, fail their probes or do not answer, and are rebuilt.",
  },
  {
    name: "SojournLeaking",
    severity: "warning",
    for: "15m",
    expr: `${series("sessions_leaked")} > 0`,
    summary: `${value("humanize")} resources of ${kind} have not ended since they were given up`,
    description:
      "Their finalizers hang, or work that ignores its signal still runs. They may hold ports, locks or memory.",
  },
  {
    name: "SojournTasksAbandoned",
    severity: "warning",
    for: "0m",
    expr: `${increase("tasks_abandoned_total", "15m")} > 0`,
    summary: `${kind} has given up ${value("humanize")} tasks in 15 minutes`,
    description:
      "They were told to stop and did not end in their grace: they hang, or do not look at their signal.",
  },
  {
    name: "SojournTasksFail",
    severity: "warning",
    for: "10m",
    expr: `${completed("=~failed|timedOut|interrupted")} / ${completed("=~.+")} > 0.2`,
    summary: `${value("humanizePercentage")} of the tasks of ${kind} fail`,
    description: "With an error of their own, by a timeout, or because their session was stopped.",
  },
  {
    name: "SojournQueueing",
    severity: "warning",
    for: "10m",
    expr: `${quantile(0.95, "task_queue_wait_seconds", "5m", ["job", "instance", "kind"])} > 1`,
    summary: `one task in twenty of ${kind} waits for ${value("humanizeDuration")} and more`,
    description:
      "Turns of one session run one after the other: there are too many for it, or one of them takes too long.",
  },
  {
    name: "SojournTaskRunsLong",
    severity: "info",
    for: "5m",
    expr: `time() - ${series("task_oldest_start_timestamp_seconds")} > 3600`,
    summary: `a task of ${kind} has been running for ${value("humanizeDuration")}`,
    description:
      "It gives signs of life, or it would have been stopped for its silence; whatever waits behind it waits as long.",
  },
  {
    name: "SojournReuseLow",
    severity: "info",
    for: "30m",
    expr: `${sumWithout(["result"], rate("session_acquisitions_total", "15m", { result: "hit" }))} / ${sumWithout(["result"], rate("session_acquisitions_total", "15m"))} < 0.5 and ${sumWithout(["result"], rate("session_acquisitions_total", "15m"))} > 0.1`,
    summary: `only ${value("humanizePercentage")} of the uses of ${kind} find their session ready`,
    description: "Each request has a key of its own, or sessions close before they are used again.",
  },
  {
    name: "SojournWarning",
    severity: "warning",
    for: "5m",
    expr: `${series("warnings_active", { severity: "error" })} > 0`,
    summary: "{{ $labels.warning }} is raised {{ $value | humanize }} times on {{ $labels.instance }}",
    description: "docs/warnings/{{ $labels.warning }}.md says what it means and what to do.",
  },
  {
    name: "SojournDrainStuck",
    severity: "warning",
    for: "5m",
    expr: `${series("registries", { phase: "draining" })} > 0`,
    summary: `${kind} has been draining for more than five minutes`,
    description: "Turns that were given time go on, or a resource does not close. The process waits for it.",
  },
  {
    name: "SojournLoopStalls",
    severity: "warning",
    for: "10m",
    expr: `1 - ${sumWithout(["le"], rate("eventloop_stall_seconds", "5m", { le: stalled }, "_bucket"))} / ${rate("eventloop_stall_seconds", "5m", {}, "_count")} > 0.05`,
    summary: `in ${value("humanizePercentage")} of the seconds the event loop of {{ $labels.instance }} stood still for ${stalled} s`,
    description:
      "Something computes without pause. Every session of the process waits meanwhile, and so do its deadlines.",
  },
  {
    name: "SojournLoopBusy",
    severity: "warning",
    for: "10m",
    expr: `${series("nodejs_eventloop_utilization_ratio")} > 0.95`,
    summary: `the event loop of {{ $labels.instance }} is busy ${value("humanizePercentage")} of the time`,
    description: "There is more to do than one thread can: more processes, or less work in each.",
  },
  {
    name: "SojournEventsDropped",
    severity: "info",
    for: "0m",
    expr: `${increase("events_dropped_total", "15m")} > 0 or ${increase("listener_errors_total", "15m")} > 0`,
    summary: `subscribers of ${kind} have missed or refused ${value("humanize")} events in 15 minutes`,
    description: "A listener is slower than what happens, or throws. Sessions are not slowed by it.",
  },
  {
    name: "SojournLabelOverflow",
    severity: "info",
    for: "15m",
    expr: `${series("label_overflow_total")} > 0`,
    summary: `${kind} has too many names for a label`,
    description: "Task names or registry names are made from data. What has no label is counted as `other`.",
  },
  {
    name: "SojournScrapeErrors",
    severity: "info",
    for: "0m",
    expr: `${increase("scrape_errors_total", "15m")} > 0`,
    summary: "metrics of {{ $labels.instance }} could not be read",
    description: "Some series are missing from its scrapes; the others are right.",
  },
  {
    name: "SojournDefect",
    severity: "critical",
    for: "0m",
    expr: `${increase("defects_total", "1h")} > 0`,
    summary: `Sojourn has made a mistake in ${kind}`,
    description:
      "It was caught and the rest goes on. The process has warned of it with a stack: please report that.",
  },
]

const runbooks = "docs/guides/alerts.md"
const quoted = (text: string): string => JSON.stringify(text)

const rule = (alert: Alert): string => `\
      - alert: ${alert.name}
        expr: ${quoted(alert.expr)}
        for: ${alert.for}
        labels:
          severity: ${alert.severity}
        annotations:
          summary: ${quoted(alert.summary)}
          description: ${quoted(alert.description)}
          runbook_url: ${quoted(`${runbooks}#${alert.name.toLowerCase()}`)}
`

export const rules = (): string => `\
# Made by \`pnpm --filter @sojourn/prometheus run generate\`.
groups:
  - name: sojourn
    rules:
${alerts.map(rule).join("")}`
