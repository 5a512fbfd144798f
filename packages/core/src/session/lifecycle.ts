/**
 * The session's state machine as data (semantics 2): which state may follow which, and what comes after a generation is
 * gone. Pure: the engine looks here, changes its fields, and nothing else decides.
 */
import type { LifeState, Next } from "./Session.ts"

export const transitions: Readonly<Record<LifeState, ReadonlyArray<LifeState>>> = {
  // A first waiter joins the line; a seat may be free at once.
  Dormant: ["Waiting"],
  // A seat is granted; or the last waiter leaves, the session is closed, the registry drains.
  Waiting: ["Backoff", "Opening", "Dormant", "Quarantined"],
  // The back-off is over; or nothing may be opened then; or nobody waits any more.
  Backoff: ["Opening", "Waiting", "Dormant", "Quarantined"],
  // It succeeded; or it failed, was told to stop, or overran its deadline.
  Opening: ["Ready", "Stopping"],
  Ready: ["Stopping"],
  // The generation is gone.
  Stopping: ["Opening", "Backoff", "Waiting", "Dormant", "Quarantined"],
  // The first call after the cool-down is the trial; a restart lifts it.
  Quarantined: ["Waiting", "Dormant"],
}

export const mayFollow = (from: LifeState, to: LifeState): boolean => transitions[from].includes(to)

/** After a generation is gone: `reopen` keeps the seat, `rejoin` gives it back and joins the end of the line. */
export const afterGone = (facts: {
  readonly next: Next
  readonly waitedFor: boolean
  /** Rebuild without a use: `restart.eager`, and the generation was lost. */
  readonly eager: boolean
  readonly accepting: boolean
  /** It still has its seat, and what has one may open. */
  readonly seated: boolean
}): "quarantine" | "reopen" | "rejoin" | "forget" => {
  if (facts.next === "quarantine") return "quarantine"
  const wanted = facts.waitedFor || (facts.eager && facts.accepting)
  if (facts.next === "reopen" && wanted && facts.seated) return "reopen"
  return facts.waitedFor ? "rejoin" : "forget"
}

/** Joining ends turns `reopen` into `forget` when the session is closed; a quarantine stays. */
export const joinClose = (next: Next): Next => (next === "quarantine" ? next : "forget")
