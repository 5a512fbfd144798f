/** The words and bounds of the protocol, apart from its schemas: what handles requests needs no schema for them. */

/** Of a session that is there. */
export const liveSessionStates = [
  "Waiting",
  "Backoff",
  "Opening",
  "Ready",
  "Restarting",
  "Closing",
  "Quarantined",
] as const
/** Of a session, as `explain` says it. */
export const sessionStates = [...liveSessionStates, "Closed"] as const
export const liveTaskStates = ["queued", "running", "stopping"] as const
export const taskOutcomes = [
  "succeeded",
  "failed",
  "cancelled",
  "timedOut",
  "interrupted",
  "rejected",
] as const
export const taskTypes = ["turn", "stream", "background", "lease"] as const
export const phases = ["accepting", "draining", "drained"] as const
export const roles = ["view", "operate"] as const
/** What a request may do. `view` reads; `operate` acts as well. */
export type Role = (typeof roles)[number]

export const sessionColumns = [
  "kind",
  "shown",
  "state",
  "generation",
  "openedAt",
  "idleSince",
  "closesAt",
  "running",
  "queued",
  "leases",
  "turns",
  "oldestTaskAt",
  "losses",
  "failedOpens",
  "retryAt",
  "errorAt",
  "abandoned",
  "warnings",
] as const
export type SessionColumn = (typeof sessionColumns)[number]

export const taskColumns = [
  "kind",
  "name",
  "type",
  "state",
  "queuedAt",
  "startedAt",
  "progressAt",
  "toldAt",
  "endedAt",
] as const
export type TaskColumn = (typeof taskColumns)[number]

/** What a live stream sends of the past where it is not said. */
export const usualSeries = ["sessions", "tasks", "started", "ended", "runs", "process"] as const
/** What a heat map shows: from hand-in to start, or from start to the real end. */
export const heatSpans = ["waits", "runs"] as const

/** What a live stream can carry. */
export const sections = ["overview", "sessions", "tasks", "session", "warnings", "events", "series"] as const
export type Section = (typeof sections)[number]

/** Bounds of what is asked and answered. */
export const bounds = {
  /** Rows of a window. */
  limit: 200,
  usualLimit: 50,
  offset: 10_000_000,
  /** Characters. */
  filterText: 128,
  /** Values of one filter. */
  filterValues: 50,
  /** Characters of a registry's or a task's name: what `createSessions` and `run` allow. */
  name: 128,
  /** Characters of what `show` gives. */
  shown: 256,
  /** Characters of a note. */
  note: 256,
  /** Characters of an error or another text of somebody else's. */
  text: 1000,
  /** Of each list in a detail. */
  list: 200,
  /** Events in one answer or frame. */
  events: 256,
  /** Milliseconds between frames. */
  every: { least: 250, usual: 1000, most: 10_000 },
  /** Bytes of a request's body. */
  body: 65_536,
  /** Characters of a request's address. */
  address: 8192,
  /** Tasks that one action may cancel, sessions that one may evict. */
  bulk: 100_000,
  /** Milliseconds. */
  pin: { usual: 900_000, most: 86_400_000 },
  finishWithin: 86_400_000,
  mute: { usual: 3_600_000, most: 604_800_000 },
  profile: { least: 10, usual: 10_000, most: 60_000 },
  recording: 86_400_000,
  /** Points of a series. */
  points: 3600,
} as const

/** What can be done to what runs. */
export const actionNames = [
  "cancelTask",
  "cancelTasks",
  "restart",
  "close",
  "evictIdle",
  "drain",
  "pin",
  "unpin",
  "mute",
  "unmute",
  "startRecording",
  "stopRecording",
  "profile",
] as const
export type ActionName = (typeof actionNames)[number]

/** Each has a page's worth of meaning in `problemTitles`. */
export const problemTitles = {
  "bad-request": "The request cannot be understood.",
  "not-authorized": "This request may not see or do that.",
  "not-loopback":
    "Without `authorize` only requests from this machine, to a loopback name, are answered. Give `authorize` to say who may.",
  "cross-site": "The request comes from another site.",
  "not-found": "There is nothing of that name.",
  "method-not-allowed": "This can be asked only with another method.",
  "not-json": "Actions are sent as application/json.",
  "too-large": "The request is too large.",
  "count-differs": "More would be affected now than was confirmed.",
  "not-confirmed": "What was confirmed is not what would be affected.",
  "not-possible": "That cannot be done here.",
  "not-recorded": "The action was not recorded, so it was not carried out.",
  "too-many-viewers": "As many viewers are connected as may be.",
  failed: "The server made a mistake.",
} as const
export type ProblemCode = keyof typeof problemTitles
