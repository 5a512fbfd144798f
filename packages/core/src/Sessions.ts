/**
 * The shapes users meet on the Promise face: what `open` gets, what a task gets, and what a registry, a session, a
 * stream and a lease can do.
 */
import type { SessionKey, SessionRef } from "./SessionKey.ts"
import type {
  AtOptions,
  CancelOptions,
  CloseOptions,
  LeaseOptions,
  Options,
  ProbeOptions,
  ResumeOptions,
  RunOptions,
  Streamable,
  StreamOptions,
} from "./SessionOptions.ts"
import type { CloseReason } from "./closeReasons.ts"
import type { Explanation } from "./observe/Explanation.ts"
import type { SessionEvent } from "./observe/SessionEvent.ts"
import type { DrainReport, Snapshot } from "./observe/Snapshot.ts"

export type { CloseReason } from "./closeReasons.ts"

/** Why a probe is asked, and with which error. `signal` aborts when its answer is no longer wanted. */
export interface ProbeContext {
  readonly why: "AfterError" | "BeforeTurn" | "Interval"
  /** What the task threw; undefined but for `AfterError`. */
  readonly error: unknown
  readonly signal: AbortSignal
}

/** What `open` gets. Its functions are properties, so destructuring is safe; they stay usable while the generation lives. */
export interface Opening extends SessionRef {
  /** Aborts when this generation is over, or its opening was given up (deadline, close, drain, nobody waits any more). */
  readonly signal: AbortSignal
  /**
   * What `save` gave in this key's previous life, else undefined. `unknown`: an older release may have written it. Read it while
   * opening: it is let go when the session is ready.
   */
  readonly restored: unknown
  /**
   * Owns a resource from the moment it exists, also if it arrives after the opening was given up. Released once, last
   * first. Rejects with what the resource rejected with, or with `signal.reason` when the generation is already over
   * (the resource is then released at once).
   */
  readonly use: {
    <T extends AsyncDisposable | Disposable>(resource: T | PromiseLike<T>): Promise<T>
    <T>(resource: T | PromiseLike<T>, release: (resource: T, reason: CloseReason) => unknown): Promise<T>
  }
  /** Runs once when the generation closes, in one order with the releases; at once if the generation is over already. */
  readonly onClose: (finalizer: (reason: CloseReason) => unknown) => void
  /**
   * Still good? `false`, a throw, or its `timeout` passed: the session is broken. Asked after a task failed with its own error,
   * before a turn on stale trust, and `every` so often; only while no turn runs, and never as a use: it keeps nothing alive.
   * The last one given counts. Calls from inside it to its own session are refused.
   */
  readonly probe: (check: (context: ProbeContext) => unknown, options?: ProbeOptions) => void
  /** State for the next life, structured-cloneable; asked at every orderly end. `Requested` and `Ended` forget it instead. */
  readonly save: (state: () => unknown) => void
  /** It can no longer be used: running turns stop, queued ones wait for the next generation. Later calls are ignored. */
  readonly broken: (cause?: unknown) => void
  /** It is done (peer closed, process exited cleanly): close when the running turns have ended. Not an error. */
  readonly end: () => void
}

/** What a task gets after the resource. Its functions are properties, so destructuring is safe. */
export interface Task {
  readonly id: string
  readonly name: string
  readonly session: SessionRef
  /** Aborts when the task is to stop. `signal.reason` is the `TaskStopped`, or the caller's own reason. Not aborted by success. */
  readonly signal: AbortSignal
  /**
   * Aborts when the registry begins to drain while the task runs: for work that would go on for ever and can end by itself.
   * The signal is the task's own, and never aborts once the task has ended.
   */
  readonly draining: AbortSignal
  /** A sign of life: restarts the `silence` clock; the note (at most 256 characters) is shown. Each streamed element is one. */
  readonly progress: (note?: string) => void
  /**
   * Work that outlives the turn: tracked, holds the session, ends with it, bound by the `silence` clock. Its failure is
   * an event, never a rejection. `false` when the session is ending. Throws `SessionMisuse TaskEnded` after the task's end.
   */
  readonly background: (name: string, work: (task: Task) => unknown) => boolean
  /** As in `Opening`; this task keeps its own outcome. */
  readonly broken: (cause?: unknown) => void
  /** Close the session after this turn: the way to do it from inside. */
  readonly close: () => void
  /** Restart the session after this turn. */
  readonly restart: () => void
}

export interface CloseReport {
  readonly session: SessionRef
  readonly reason: CloseReason
  /** Something of it had not ended at the deadline and was abandoned. */
  readonly leaked: boolean
  /** What finalizers threw, in the order they ran. */
  readonly errors: ReadonlyArray<unknown>
}

/** For one consumer, who sets the pace. Leaving the loop cancels the turn, unless the stream is resumable. */
export interface SessionStream<A> extends AsyncIterable<A>, AsyncDisposable {
  readonly id: string
  /** Its turn has begun; rejects with what kept it from beginning. Never an unhandled rejection. */
  readonly started: Promise<void>
  /** Aborts when the registry begins to drain; the stream may still go on. */
  readonly draining: AbortSignal
  /** Elements numbered from 1, as for `Last-Event-ID`. */
  readonly entries: () => AsyncIterable<readonly [index: number, element: A]>
}

export type RunTask<R, A> = (resource: R, task: Task) => A | PromiseLike<A>
export type StreamTask<R, A> = (resource: R, task: Task) => Streamable<A>

// Inference needs `any` in these positions: a parameter of type `unknown` matches no concrete handler.
/* oxlint-disable typescript/no-explicit-any */
type Output<F> = F extends (...args: any) => infer A ? Awaited<A> : never
type Args<F, O> = F extends (resource: any, input: infer I, task: any) => any
  ? unknown extends I
    ? [input?: undefined, options?: O]
    : undefined extends I
      ? [input?: I, options?: O]
      : [input: I, options?: O]
  : never
/* oxlint-enable typescript/no-explicit-any */

/** The declared handlers and streams as functions: `call(key).query(input, options)`. */
export type Calls<H, S> = {
  readonly [K in keyof H]: (...args: Args<H[K], RunOptions>) => Promise<Output<H[K]>>
} & {
  readonly [K in keyof S]: (
    ...args: Args<S[K], StreamOptions>
  ) => SessionStream<Output<S[K]> extends AsyncIterable<infer A> ? A : never>
}

/** What every placement has, and what observers accept. */
export interface AnySessions extends AsyncDisposable {
  readonly name: string
  /** Aborts when the registry begins to drain. */
  readonly draining: AbortSignal
  /** Stops tasks; how many were stopped, once they ended or `timeouts.grace` passed. Does not wait for the turn it is called in. */
  readonly cancel: (key: SessionKey, options?: CancelOptions) => Promise<number>
  /** Refuses new work, lets running turns finish within `finishWithin`, closes everything in parallel. A later call joins; it can only shorten. */
  readonly drain: (options?: CloseOptions) => Promise<DrainReport>
  /** Ends the session: what was handed in before is told, the next use opens afresh. Undefined when nothing was live. */
  readonly close: (key: SessionKey, options?: CloseOptions) => Promise<CloseReport | undefined>
  /** Replaces the resource only: queued turns wait for the next one. Lifts a quarantine. */
  readonly restart: (key: SessionKey, options?: CloseOptions) => Promise<CloseReport | undefined>
  readonly explain: (key: SessionKey) => Explanation | Promise<Explanation>
  readonly snapshot: (options?: Options<{ readonly limit: number }>) => Snapshot
  /** Listeners run in order, outside every task; a slow one loses task events, never `Opened` and `Closed`. */
  readonly subscribe: (listener: (event: SessionEvent) => void) => Disposable & (() => void)
}

export interface CallableSessions<H, S> extends AnySessions {
  readonly call: (key: SessionKey) => Calls<H, S>
  readonly resume: (key: SessionKey, options?: ResumeOptions) => Promise<SessionStream<unknown> | undefined>
  readonly lease: (key: SessionKey, options?: LeaseOptions) => Promise<Lease<CallableSession<H, S>>>
  readonly at: (key: SessionKey, defaults?: AtOptions) => CallableSession<H, S>
}

/** A registry of inline sessions: the resource lives in this process, tasks are plain functions. */
export interface Sessions<R, H = {}, S = {}> extends CallableSessions<H, S> {
  readonly run: <A>(key: SessionKey, task: RunTask<R, A>, options?: RunOptions) => Promise<A>
  readonly stream: <A>(key: SessionKey, task: StreamTask<R, A>, options?: StreamOptions) => SessionStream<A>
  readonly lease: (key: SessionKey, options?: LeaseOptions) => Promise<Lease<Session<R, H, S>>>
  readonly at: (key: SessionKey, defaults?: AtOptions) => Session<R, H, S>
  readonly explain: (key: SessionKey) => Explanation
}

/** The same functions with the key filled in: what adapters hand out. Making one opens nothing. */
export interface CallableSession<H, S> {
  readonly key: SessionKey
  readonly call: Calls<H, S>
  readonly resume: (options?: ResumeOptions) => Promise<SessionStream<unknown> | undefined>
  readonly cancel: (options?: CancelOptions) => Promise<number>
  readonly close: (options?: CloseOptions) => Promise<CloseReport | undefined>
}

export interface Session<R, H = {}, S = {}> extends CallableSession<H, S> {
  readonly run: <A>(task: RunTask<R, A>, options?: RunOptions) => Promise<A>
  readonly stream: <A>(task: StreamTask<R, A>, options?: StreamOptions) => SessionStream<A>
}

/**
 * Holds one generation between turns; it gives no access of its own, work goes through its `run`, `stream` and `call`.
 * After its end they reject with `SessionRefused LeaseEnded`: a lease never passes to the next generation.
 */
export type Lease<Handle> = Handle &
  AsyncDisposable & {
    readonly session: SessionRef
    /** Aborts when the generation or the lease ends. */
    readonly signal: AbortSignal
    /** A sign of life: restarts `timeouts.lease`. */
    readonly progress: () => void
    /** As often as you like. */
    readonly release: () => Promise<void>
  }
