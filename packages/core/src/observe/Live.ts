/**
 * Live sessions and tasks as who shows them reads them: nothing is copied, every field is computed when it is read. So a
 * window of sixty rows over a hundred thousand sessions costs a look at the fields it filters and sorts by, and sixty rows.
 */
import type { CloseReason } from "../closeReasons.ts"
import type { TaskStoppedReason } from "../errors.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { Explanation, SessionState, TaskInfo } from "./Explanation.ts"
import type { StoppedBy } from "./StopRecord.ts"

/** Times are epoch milliseconds. After its session was forgotten it reads as closed. */
export interface LiveSession {
  /** Made anew each time. */
  readonly ref: SessionRef
  readonly key: string
  readonly id: string
  readonly owner: string | undefined
  readonly state: SessionState
  /** How many times the resource was built in this stay, the one that opens included. */
  readonly generation: number
  /** When the live generation became ready. */
  readonly openedAt: number | undefined
  /** When the generation in its present phase of opening or closing began it. */
  readonly openingSince: number | undefined
  readonly closingSince: number | undefined
  /** Ready, and nobody uses it. */
  readonly isIdle: boolean
  readonly idleSince: number | undefined
  /** When it closes if nobody uses it. */
  readonly closesAt: number | undefined
  /** Turns, streams and background work. */
  readonly running: number
  /** All who wait: for a turn, or for the resource. */
  readonly queued: number
  readonly leases: number
  /** The leases, each good as long as it is held. */
  readonly held: () => Iterable<LiveLease>
  /** Runs and streams started on this generation. */
  readonly turns: number
  /** Of those that run or wait, when the first one was handed in. */
  readonly oldestTaskAt: number | undefined
  /** Generations lost within the restart window. */
  readonly losses: number
  /** Openings that failed in a row. */
  readonly failedOpens: number
  /** Not opened before this. */
  readonly retryAt: number | undefined
  readonly lastError: Explanation["errors"][number] | undefined
  /** When a generation of this key last ended, while that is remembered. */
  readonly endedAt: number | undefined
  /** Abandoned work of this generation that has not ended. */
  readonly abandoned: number
  /** Those that run, then those that wait, each in order. Each is good as long as its task is. */
  readonly tasks: () => Iterable<LiveTask>
  /** One of these, by its id. */
  readonly task: (id: string) => LiveTask | undefined
  /** This one, to be kept: what a visit is given is good for that visit only. */
  readonly keep: () => LiveSession
}

/** Times are epoch milliseconds. */
export interface LiveLease {
  readonly name: string
  readonly since: number
  /** The last sign of life. */
  readonly progressAt: number
  /** Milliseconds it may go without one; Infinity: as long as it likes. */
  readonly silence: number
  /** Turns of its own wait or run. */
  readonly inUse: boolean
}

/**
 * How it is known when a task's code runs. `fibers`: from its start on, each time a fiber in its context goes on.
 * `continuations`: it is watched closely (`watchTasksClosely`), and Node tells of each callback and each awaited promise in its
 * async context. `signs`: not at all, only what it says and does through Sojourn can be told: `progressAt`, `waitsForCall`,
 * `waitsForConsumer`. Of what a task has started without waiting for it, and without its context, nothing is known.
 */
export type KnownBy = "fibers" | "continuations" | "signs"

/** A task, in words: it may be gone. */
export interface TaskRef {
  readonly registry: string
  /** Of its session. */
  readonly key: string
  readonly id: string
  readonly name: string
}

/** That a task was told to stop, and what came of it. Times are epoch milliseconds. */
export interface TaskStop {
  readonly reason: TaskStoppedReason
  readonly by: StoppedBy
  /** Why its generation goes, for `close`. */
  readonly closeReason: CloseReason | undefined
  /** The calls it came down, from the task it was called from to the one that was told first. */
  readonly from: ReadonlyArray<{
    readonly task: TaskRef
    readonly reason: TaskStoppedReason | undefined
    readonly by: StoppedBy | undefined
    readonly closeReason: CloseReason | undefined
  }>
  /** When the work was told; undefined: it was abandoned without having been told. */
  readonly at: number | undefined
  /** When its caller got its outcome. */
  readonly callerToldAt: number | undefined
  /** It would not end, its slot was given up, and it is waited for no more. */
  readonly abandonedAt: number | undefined
  /** The real end, also of what was abandoned. Undefined: it has not ended. */
  readonly endedAt: number | undefined
  /** From being told to the real end; undefined: it has not ended, or was not told. Milliseconds. */
  readonly acknowledgedMs: number | undefined
}

/** Times are epoch milliseconds, durations milliseconds. */
export interface LiveTask {
  readonly id: string
  /** In the order of hand-in, in its registry. */
  readonly number: number
  readonly name: string
  readonly kind: TaskInfo["kind"] | "lease"
  readonly session: LiveSession
  readonly state: TaskInfo["state"]
  readonly queuedAt: number
  /** Undefined while it waits. */
  readonly startedAt: number | undefined
  readonly progressAt: number | undefined
  /** Milliseconds it may go without a sign of life; Infinity: as long as it likes. */
  readonly silence: number
  /** From hand-in to its start, or until now. */
  readonly waitedMs: number
  /** From its start until now; 0 while it waits. */
  readonly ranMs: number
  /** Of `ranMs`: pauses of a second and longer in which nothing of it ran. Undefined: not known from its start on. */
  readonly suspendedMs: number | undefined
  readonly knownBy: KnownBy
  /** When its code was last seen to go on; at most half a second too early. Undefined: not known. */
  readonly resumedAt: number | undefined
  /** How often its fibers went on. Undefined: not known. */
  readonly resumes: number | undefined
  /** Nothing of it has run for a second, give or take half; while the event loop stood still nothing could. Undefined: not known. */
  readonly isSuspended: boolean | undefined
  /** When it was told to stop, and why. */
  readonly toldAt: number | undefined
  readonly cut: TaskStoppedReason | undefined
  /** The same with what came of it. Made anew each time. */
  readonly stop: TaskStop | undefined
  /** It would not end, and its slot was given up. */
  readonly abandoned: boolean
  /** A call it made is under way. */
  readonly waitsForCall: boolean
  /** Of a stream: nobody asks for its next element. */
  readonly waitsForConsumer: boolean
  /** The task it was called from, in this registry or another; of work in the background, the one that started it. */
  readonly parent: TaskRef | undefined
  /** The task it was called from, while that runs. */
  readonly caller: LiveTask | undefined
  /** Calls it made, in this registry or others, whose outcome it has not been told, in order. */
  readonly calls: () => Iterable<LiveTask>
  readonly note: string | undefined
  /** Where it was handed in, innermost first; only while `captureTaskStacks` is on. Made anew each time. */
  readonly stack: ReadonlyArray<string> | undefined
  /** Made anew each time. */
  readonly info: TaskInfo
}
