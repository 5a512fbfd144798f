/**
 * Every failure of ours a caller can meet. The tag says what became of the task, the reason says why. A task's own error
 * is never wrapped; an open's arrives as `cause`. Keys are data on the error, never part of its message: they may be
 * secrets, and messages end up in logs.
 */
import type { SessionRef } from "./SessionKey.ts"
import type { Explanation, TaskInfo } from "./observe/Explanation.ts"

export const sessionRefusedReasons = [
  "MaxSessions",
  "MaxPerOwner",
  "MaxHeap",
  "MaxLeaked",
  "MaxQueued",
  "MaxNewOwners",
  "QueueTimeout",
  "Busy",
  "Quarantined",
  "Draining",
  "Closed",
  "NotFound",
  "LeaseEnded",
  "ReplayGap",
] as const
export const sessionOpenFailedReasons = ["Failed", "TimedOut"] as const
export const taskStoppedReasons = [
  "Timeout",
  "Silent",
  "Stalled",
  "Replaced",
  "Cancelled",
  "CallerStopped",
  "Closed",
  "Restarted",
  "Drained",
  "Broken",
] as const
export const sessionMisuseReasons = [
  "ReentrantRun",
  "ReentrantClose",
  "InvalidKey",
  "InvalidOption",
  "TaskEnded",
] as const

export type SessionRefusedReason = (typeof sessionRefusedReasons)[number]
export type SessionOpenFailedReason = (typeof sessionOpenFailedReasons)[number]
export type TaskStoppedReason = (typeof taskStoppedReasons)[number]
export type SessionMisuseReason = (typeof sessionMisuseReasons)[number]

const nowhere: SessionRef = { name: "", key: "", id: "", owner: undefined, generation: 0, serial: 0 }

interface Common {
  readonly session?: SessionRef | undefined
  readonly retryAfter?: number | undefined
  readonly explanation?: Explanation | undefined
  readonly message?: string | undefined
  readonly cause?: unknown
  /** Makes `explanation` when it is first read; given by the engine. */
  readonly explain?: (() => Explanation) | undefined
}

const brand: unique symbol = Symbol.for("@sojourn/core/error") as never

/** `session`, `explanation` and a task are read through getters, so that printing an error does not print its key. */
abstract class OurError<Tag extends string> extends Error {
  abstract readonly _tag: Tag
  readonly #session: SessionRef
  readonly #explain: (() => Explanation) | undefined
  #explanation: Explanation | undefined
  /** Milliseconds after which trying again can help; undefined: it will not, or nobody knows. */
  readonly retryAfter: number | undefined

  constructor(message: string, fields: Common) {
    super(fields.message ?? message, "cause" in fields ? { cause: fields.cause } : undefined)
    this.#session = fields.session ?? nowhere
    this.#explain = fields.explain
    this.#explanation = fields.explanation
    this.retryAfter = fields.retryAfter
  }
  get session(): SessionRef {
    return this.#session
  }
  /** What the session was doing, made when first read: the state at that moment. */
  get explanation(): Explanation {
    return (this.#explanation ??= this.#explain?.() ?? unknownExplanation(this.#session))
  }
  get [brand](): true {
    return true
  }
}

const unknownExplanation = (session: SessionRef): Explanation => ({
  session,
  state: "Closed",
  alive: [],
  closesAt: undefined,
  ended: undefined,
  tasks: [],
  restarts: { left: 0, nextAt: undefined },
  errors: [],
  history: [],
  toString: () => "Nothing is known of this session.",
})

const hasTag = (value: unknown, tag: string): boolean =>
  typeof value === "object" && value !== null && brand in value && "_tag" in value && value._tag === tag

/** Never started. Try again after `retryAfter` milliseconds; undefined: that will not help. */
export class SessionRefused extends OurError<"SessionRefused"> {
  readonly _tag = "SessionRefused"
  readonly reason: SessionRefusedReason
  constructor(fields: Common & { readonly reason: SessionRefusedReason }) {
    super(refusedMessage[fields.reason], fields)
    this.name = "SessionRefused"
    this.reason = fields.reason
  }
  /** True also for errors of a second copy of this package. */
  static override [Symbol.hasInstance](value: unknown): value is SessionRefused {
    return hasTag(value, "SessionRefused")
  }
}

/** Never started: the session could not be opened. `cause` is what `open` threw. */
export class SessionOpenFailed<E = unknown> extends OurError<"SessionOpenFailed"> {
  readonly _tag = "SessionOpenFailed"
  readonly reason: SessionOpenFailedReason
  declare readonly cause: E
  constructor(fields: Common & { readonly reason: SessionOpenFailedReason; readonly cause: E }) {
    super(openFailedMessage[fields.reason], fields)
    this.name = "SessionOpenFailed"
    this.reason = fields.reason
  }
  static override [Symbol.hasInstance](value: unknown): value is SessionOpenFailed {
    return hasTag(value, "SessionOpenFailed")
  }
}

/** Let in, but ended by us or by another. `started`: your code had begun; `abandoned`: it may still be running. */
export class TaskStopped extends OurError<"TaskStopped"> {
  readonly _tag = "TaskStopped"
  readonly reason: TaskStoppedReason
  readonly #task: TaskInfo
  readonly started: boolean
  readonly abandoned: boolean
  constructor(
    fields: Common & {
      readonly reason: TaskStoppedReason
      readonly task: TaskInfo
      readonly started: boolean
      readonly abandoned?: boolean | undefined
    },
  ) {
    super(stoppedMessage[fields.reason], fields)
    this.name = "TaskStopped"
    this.reason = fields.reason
    this.#task = fields.task
    this.started = fields.started
    this.abandoned = fields.abandoned ?? false
  }
  /** Through a getter, as `session`: it carries the session's ref, and with it the key. */
  get task(): TaskInfo {
    return this.#task
  }
  static override [Symbol.hasInstance](value: unknown): value is TaskStopped {
    return hasTag(value, "TaskStopped")
  }
}

/** A mistake in the calling code. In the Effect face it is a defect. */
export class SessionMisuse extends OurError<"SessionMisuse"> {
  readonly _tag = "SessionMisuse"
  readonly reason: SessionMisuseReason
  constructor(fields: Common & { readonly reason: SessionMisuseReason }) {
    super(misuseMessage[fields.reason], fields)
    this.name = "SessionMisuse"
    this.reason = fields.reason
  }
  static override [Symbol.hasInstance](value: unknown): value is SessionMisuse {
    return hasTag(value, "SessionMisuse")
  }
}

export type SessionError<E = unknown> = SessionRefused | SessionOpenFailed<E> | TaskStopped

/** Is it one of ours? A task's own error is not. */
export const isSessionError = (error: unknown): error is SessionError | SessionMisuse =>
  error instanceof SessionRefused ||
  error instanceof SessionOpenFailed ||
  error instanceof TaskStopped ||
  error instanceof SessionMisuse

export const invalidKey = (what: string): SessionMisuse =>
  new SessionMisuse({ reason: "InvalidKey", message: `Not a session key: ${what}.` })
export const invalidOption = (what: string): SessionMisuse =>
  new SessionMisuse({ reason: "InvalidOption", message: what })

const refusedMessage: Record<SessionRefusedReason, string> = {
  MaxSessions:
    "Every place for a session is taken, and none came free in time. Raise maxSessions, or try again.",
  MaxPerOwner: "This owner has as many sessions as maxPerOwner allows, all in use. Close one, or try again.",
  MaxHeap: "The heap is fuller than maxHeap allows, and nothing is opened until it is not. Try again later.",
  MaxLeaked:
    "As many sessions as maxLeaked allows were abandoned while closing and have not ended. Find out what hangs in their finalizers.",
  MaxQueued: "As many turns as maxQueued allows already wait in this session. Slow down, or try again.",
  MaxNewOwners:
    "As many new visitors as maxNewOwners allows came from this address within a minute. Raise it, or let them log in.",
  QueueTimeout: "The turn did not come within timeouts.queue: those before it take too long.",
  Busy: 'A turn is running, and whenBusy is "reject".',
  Quarantined:
    "The session's resource was lost too often in a short time. It is left alone until retryAfter has passed.",
  Draining: "The registry is shutting down and takes no new work.",
  Closed: "The session was closed while this turn waited. The next use opens a new one.",
  NotFound: "No such session is live, and mustExist forbids opening one.",
  LeaseEnded: "The lease, or the generation it held, is over. Take a new lease.",
  ReplayGap: "That part of the stream is no longer kept. Start from its beginning, or fetch the result.",
}
const openFailedMessage: Record<SessionOpenFailedReason, string> = {
  Failed: "The session could not be opened: see `cause`.",
  TimedOut: "Opening the session took longer than timeouts.open.",
}
const stoppedMessage: Record<TaskStoppedReason, string> = {
  Timeout: "The call took longer than its `timeout`, waiting included.",
  Silent:
    "The task gave no sign of life within the silence limit. Call task.progress() in long work, or raise `silence`.",
  Stalled: "The stream's consumer took nothing within timeouts.stall.",
  Replaced: "A newer turn took its place.",
  Cancelled: "The task was cancelled.",
  CallerStopped: "The turn that made this call was told to stop.",
  Closed: "The session was closed while the task ran.",
  Restarted: "The session was restarted while the task ran.",
  Drained: "The registry shut down while the task ran.",
  Broken: "The session's resource was lost while the task ran.",
}
const misuseMessage: Record<SessionMisuseReason, string> = {
  ReentrantRun:
    'This call would wait for the turn it is made from. Do the work in this turn, or use { whenBusy: "overlap" } or { detach: true }.',
  ReentrantClose:
    "A session cannot be closed, restarted or drained from inside its own turn. Use task.close() or task.restart().",
  InvalidKey: "Not a session key.",
  InvalidOption: "An option is wrong.",
  TaskEnded: "The task is over; its functions can no longer be used.",
}
