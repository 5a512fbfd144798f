/**
 * Every knob a user can turn, in one place. Each comment says what the option means, its unit, its default, the
 * smallest legal value, and for a deadline when its clock starts. A wrong or unknown option throws
 * `SessionMisuse InvalidOption` where it is given, before anything is opened.
 */
import type * as Duration from "effect/Duration"
import type { Opening, Task } from "./Sessions.ts"
import type { SessionStore } from "./store/SessionStore.ts"

/** Options whose properties may be left out or be `undefined`; the two mean the same. */
export type Options<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** A length of time: milliseconds, or text such as `"5 seconds"`. `"Infinity"` switches a limit off. */
export type Time = Duration.Input

/**
 * What a new turn does while `concurrency` turns run: wait in order, be refused `Busy`, stop the running turn and run
 * after it, or run beside it taking no turn.
 */
export type WhenBusy = "queue" | "reject" | "replace" | "overlap"

/** Deadlines. All are measured on the monotonic clock; `"Infinity"` switches one off; the minimum is 0 unless said. */
export type Timeouts = Options<{
  /** Waiting for a place among `maxSessions` or `maxPerOwner`; from joining the line. 5 seconds. */
  readonly seat: Time
  /** Waiting for a turn, opening included; from the call. Then `SessionRefused QueueTimeout`. 5 minutes. */
  readonly queue: Time
  /** Opening; from the call of `open`. Then `SessionOpenFailed TimedOut`; what arrives later is released. 30 seconds; 1 ms. */
  readonly open: Time
  /** A running task without a sign of life, in event-loop time; from its start or last `progress`. 5 minutes; 1 ms. */
  readonly silence: Time
  /** A stream whose consumer takes nothing; from the last element taken. Then `TaskStopped Stalled`. 30 seconds; 1 ms. */
  readonly stall: Time
  /** A lease without a turn of its own or `progress()`; it also ends after 24 hours in all. 1 hour; 1 ms. */
  readonly lease: Time
  /** From telling a task to stop, and somebody needing its place, until it is abandoned. 5 seconds. */
  readonly grace: Time
  /** Saving and all finalizers, a third of it for each; then the rest start at once and the session counts as leaked. 15 seconds; 1 ms. */
  readonly close: Time
}>

/** How a session whose resource was lost is rebuilt. */
export type Restart = Options<{
  /** Lost resources within `within`; one more quarantines the key. 5; 0. */
  readonly times: number
  /** The window for `times`. Forgotten after a sixth of it in good health. 1 minute; 1 ms. */
  readonly within: Time
  /** Before the second rebuild in a row, doubling each time, jittered. Failed opens have only this. 100 ms; 0. */
  readonly delay: Time
  /** The longest such delay. 30 seconds; 0. */
  readonly maxDelay: Time
  /** Refuse `Quarantined` this long, then one shared trial; doubling, up to 10 minutes. 30 seconds; 0. */
  readonly quarantine: Time
  /** Rebuild at once, without waiting for a use. false. */
  readonly eager: boolean
}>

/** How sessions behave: everything that is not about the resource itself. */
export type Policy = Options<{
  /** What a new turn does while `concurrency` turns run. "queue". */
  readonly whenBusy: WhenBusy
  /** Turns at once in one session. 1; 1. */
  readonly concurrency: number
  /** Turns that may wait behind those that can start; one more is refused `MaxQueued`. 64; 0. */
  readonly maxQueued: number
  /** Close this long after the last use ended. In use or waited for is never idle. 15 minutes; 0. */
  readonly idleTimeout: Time
  /**
   * Replace the resource, between turns, once it is this old; from ready. Never under a turn; leases delay it by a minute, then
   * they end. The next use opens it. Infinity; 1 ms.
   */
  readonly maxAge: Time
  /** Replace it after this many runs and streams, those beside the turns included; otherwise as `maxAge`. Infinity; 1. */
  readonly maxTurns: number
  /** Sessions alive at once; then close the longest idle, wait up to `timeouts.seat`, refuse `MaxSessions`. 10 000; 1. */
  readonly maxSessions: number
  /** The same among the sessions of one owner; keys without owner do not count. Infinity; 1. */
  readonly maxPerOwner: number
  /**
   * Share of the heap limit of this process above which no session is opened, and idle ones are closed, longest idle first,
   * until it is a twentieth of the limit lower. Who waits longer than `timeouts.seat` is refused `MaxHeap`. 1 (off); 0.
   */
  readonly maxHeap: number
  /**
   * When something of a session had not ended at its close deadline: open a new one, or keep the key shut until the old one is
   * really gone. "reopen".
   */
  readonly onLeak: "reopen" | "wait"
  /** So many abandoned sessions that have not ended, then nothing is opened: `MaxLeaked`. 100; 1. */
  readonly maxLeaked: number
  /** Keeps what `save` gives, by compare-and-set. In memory, for the last 1 000 keys. */
  readonly store: SessionStore
  readonly timeouts: Timeouts
  /** `false`: a broken session is closed and its queue refused, instead of rebuilt. */
  readonly restart: Restart | false
}>

/**
 * When the resource is asked whether it is still good. `trustFor`: before a turn, when the last good turn or probe is older
 * (10 seconds; 0). `every`: that often while no turn runs (Infinity; 1 ms). `timeout`: of one probe, in event-loop time
 * (5 seconds; 1 ms).
 */
export type ProbeOptions = Options<{
  readonly trustFor: Time
  readonly every: Time
  readonly timeout: Time
}>

/** Named operations on the resource: `(resource, input, task) => result`. */
export type Handlers<R> = {
  // The input type belongs to each handler; `any` is the only type every handler is assignable to.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [name: string]: (resource: R, input: any, task: Task) => unknown
}
/** Named operations that yield many elements: `(resource, input, task) => AsyncIterable`. */
export type StreamHandlers<R> = {
  // oxlint-disable-next-line typescript/no-explicit-any -- as in Handlers
  readonly [name: string]: (resource: R, input: any, task: Task) => Streamable<unknown>
}
export type Streamable<A> = AsyncIterable<A> | PromiseLike<AsyncIterable<A>>

/** What `createSessions` takes: `name` and `open` make a correct program, the rest is policy. */
export interface SessionOptions<R, H = {}, S = {}> extends Policy {
  /** In metrics, events and the dashboard. Not empty, at most 128 characters. A second live registry of the name is shown as `name#2`. */
  readonly name: string
  /** Builds the resource: once for all who wait, in a clean async context. It gets the key, never a request. */
  readonly open: (session: Opening) => R | PromiseLike<R>
  /** Write `handlers` and `streams` after `open`: the resource's type is inferred from it. */
  readonly handlers?: (H & Handlers<R>) | undefined
  readonly streams?: (S & StreamHandlers<R>) | undefined
}

/** A definition that can be placed elsewhere than inline: `module` is its own `import.meta.url`. */
export interface SessionDefinition<R, H = {}, S = {}> extends SessionOptions<R, H, S> {
  readonly module: string
}

/**
 * As much of an `AbortSignal` as a call listens to. For hosts that make one for each request: a real one costs several times
 * as much.
 */
export interface CallerSignal {
  readonly aborted: boolean
  readonly reason: unknown
  readonly addEventListener: (
    type: "abort",
    listener: () => void,
    options?: { readonly once?: boolean },
  ) => void
  readonly removeEventListener: (type: "abort", listener: () => void) => void
}

/** Options of one call. */
export type RunOptions = Options<{
  /** In metrics and traces: a small vocabulary, at most 128 characters. The handler's or function's name, else "run". */
  readonly name: string
  /** Aborted: the caller no longer waits. The call rejects at once with `signal.reason`, as `fetch` does. */
  readonly signal: AbortSignal
  /** The whole call, waiting included; from the call. Then `TaskStopped Timeout`. Infinity; 0. */
  readonly timeout: Time
  /** Instead of `timeouts.silence`. `"Infinity"`: for work that rightly says nothing. */
  readonly silence: Time
  /** Instead of the registry's `whenBusy`. */
  readonly whenBusy: WhenBusy
  /** Never open: `SessionRefused NotFound` unless the session is live. false. */
  readonly mustExist: boolean
  /**
   * May be started once more, on the next generation and at its old place in the queue, when it was stopped because its resource
   * was lost and has really ended. Never for a stream. false: what was started is never run twice.
   */
  readonly idempotent: boolean
  /** Inside a turn: not part of it, so it may queue behind it. Never await it there. false. */
  readonly detach: boolean
}>

/**
 * `resumable`: the consumer's leaving does not cancel, and `resume` finds the stream again. false; true keeps the last
 * 10 000 `items` and, after the end, `keep` them for 1 minute.
 */
export type StreamOptions = RunOptions &
  Options<{ readonly resumable: boolean | Options<{ readonly items: number; readonly keep: Time }> }>
/** `after`: continue behind this element; `stream`: a stream by its id, else the newest. */
export type ResumeOptions = Options<{
  readonly after: number
  readonly stream: string
  readonly signal: AbortSignal
}>
/** Defaults for every call of a handle. */
export type AtOptions = Omit<RunOptions, "signal"> &
  Options<{ readonly signal: CallerSignal }> &
  Pick<ResumeOptions, "after" | "stream">
export type LeaseOptions = Pick<RunOptions, "name" | "signal" | "silence" | "mustExist">
/** `finishWithin`: how long running turns may still go on. close, restart 0; drain 10 seconds. */
export type CloseOptions = Options<{ readonly finishWithin: Time }>
/** `task`: only this one; left out: every turn and stream, running and queued. */
export type CancelOptions = Options<{ readonly task: string }>
