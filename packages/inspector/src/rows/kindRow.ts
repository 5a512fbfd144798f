import type { DurationStats, Inspection } from "@sojourn/core/inspect"
import type { Durations, KindDetail, KindRow } from "../protocol/kinds.ts"
import { bounds } from "../protocol/words.ts"
import { cleaned } from "../safety/text.ts"
import type { Loose } from "./sessionRow.ts"

/** Hundredths of a millisecond are more than anybody reads. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000

const durations = (stats: DurationStats): Durations => {
  const { count, mean, sum } = stats
  const all = { count, sumMs: rounded(sum), meanMs: count === 0 ? 0 : rounded(mean) }
  if (count === 0) return all
  return {
    ...all,
    p50Ms: rounded(stats.quantile(0.5)),
    p90Ms: rounded(stats.quantile(0.9)),
    p95Ms: rounded(stats.quantile(0.95)),
    p99Ms: rounded(stats.quantile(0.99)),
  }
}
const finite = (limit: number): number | undefined => (Number.isFinite(limit) ? limit : undefined)

export const kindRow = (inspection: Inspection, warnings: number): Loose<KindRow> => {
  const { draining, durations: all, limits, name, phase, totals } = inspection
  const gauges = inspection.gauges()
  let live = 0
  for (const count of Object.values(gauges.sessions)) live += count
  return {
    kind: name,
    phase,
    drain: draining === undefined ? undefined : ({ since: draining.since, cutAt: draining.cutAt } as never),
    limits: {
      maxSessions: finite(limits.maxSessions),
      maxPerOwner: finite(limits.maxPerOwner),
      maxQueued: finite(limits.maxQueued),
      concurrency: finite(limits.concurrency),
      idleTimeoutMs: finite(limits.idleTimeout),
    } as KindRow["limits"],
    gauges: {
      live,
      states: gauges.sessions,
      idle: gauges.idle,
      queued: gauges.queued,
      running: gauges.running,
      stopping: gauges.stopping,
      leases: gauges.leases,
      leaked: gauges.leaked,
      warnings,
      oldestIdleSince: gauges.oldestIdleSince,
    } as KindRow["gauges"],
    totals: {
      outcomes: totals.outcomes,
      acquisitions: totals.acquisitions,
      refusals: totals.refusals,
      stops: totals.stops,
      openings: totals.openings,
      ends: totals.ends,
      probes: totals.probes,
      lost: totals.lost,
      abandoned: totals.abandoned,
      leaks: totals.leaks,
      late: totals.late,
      unobserved: totals.unobserved,
      reentrant: totals.reentrant,
      defects: totals.defects,
      listenerErrors: totals.listenerErrors,
      droppedEvents: totals.droppedEvents,
    },
    durations: {
      waits: durations(all.waits),
      runs: durations(all.runs),
      stopping: durations(all.stopping),
      opens: durations(all.opens),
      closes: durations(all.closes),
      lifetimes: durations(all.lifetimes),
    },
  }
}

/** By their name alone it is not known whose they were: name tasks after what they do, never after whom. */
export const taskNames = (inspection: Inspection): KindDetail["tasks"] =>
  [...inspection.tasks()].slice(0, bounds.list).map(({ name, outcomes, runs, started }) => ({
    name: cleaned(name, bounds.name),
    started,
    outcomes,
    runs: durations(runs),
  }))
