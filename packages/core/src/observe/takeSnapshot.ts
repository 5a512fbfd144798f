import { invalidOption } from "../errors.ts"
import { wholeNumber, resolveNames } from "../options.ts"
import type { Options } from "../SessionOptions.ts"
import type { Registry } from "../registry/Registry.ts"
import type { Session } from "../session/Session.ts"
import type { SessionState } from "./Explanation.ts"
import { publicState } from "./explain.ts"
import type { SessionSummary, Snapshot } from "./Snapshot.ts"

const usualLimit = 1000

const summary = (session: Session): SessionSummary => {
  const { generation, registry } = session
  const live = generation !== undefined && session.state === "Ready"
  return {
    session: session.ref,
    state: publicState(session),
    openedAt: live ? registry.epochOf(generation.since) : undefined,
    idleSince: session.idle ? registry.epochOf(idleSince(session)) : undefined,
    running: generation?.running?.size ?? 0,
    queued: session.waiting,
  }
}

/** Monotonic. */
export const idleSince = (session: Session): number => {
  const { idleTimeout } = session.registry.policy
  return idleTimeout === Infinity ? session.dueAt : session.dueAt - idleTimeout
}

const busyness = (session: Session): number => session.waiting * 2 + (session.generation?.running?.size ?? 0)

/** Looks at every session: for people and tests, not for a tick. */
export const takeSnapshot = (registry: Registry, options?: Options<{ readonly limit: number }>): Snapshot => {
  resolveNames(options, ["limit"])
  const limit = wholeNumber("limit", options?.limit, usualLimit, 0)
  if (limit === Infinity) throw invalidOption("limit: a whole number is allowed, got Infinity.")
  const counts: Record<SessionState | "queued" | "running" | "leases" | "leaked", number> = {
    Waiting: 0,
    Backoff: 0,
    Opening: 0,
    Ready: 0,
    Restarting: 0,
    Closing: 0,
    Quarantined: 0,
    Closed: 0,
    queued: 0,
    running: 0,
    leases: registry.leases.live,
    leaked: registry.closing.leaked,
  }
  const all = [...registry.sessions.values()]
  for (const session of all) {
    counts[publicState(session)]++
    counts.queued += session.waiting
    counts.running += session.generation?.running?.size ?? 0
  }
  const busiest =
    all.length <= limit ? all : all.toSorted((a, b) => busyness(b) - busyness(a)).slice(0, limit)
  return {
    name: registry.name,
    at: registry.time.epoch(),
    phase: registry.phase,
    sessions: busiest.toSorted((a, b) => busyness(b) - busyness(a)).map(summary),
    more: all.length - busiest.length,
    counts,
  }
}
