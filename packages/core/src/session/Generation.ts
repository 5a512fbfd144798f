/**
 * One attempt to build and serve the resource. Identity is the fence (L21): whatever an old generation still does is
 * compared by object, never by number.
 */
import type { SessionRef } from "../SessionKey.ts"
import type { CloseReason, CloseReport } from "../Sessions.ts"
import type { Trace } from "../observe/Tracing.ts"
import type { Frame } from "../task/Frame.ts"
import type { TaskList } from "../task/Task.ts"
import type { Lease } from "../task/Leases.ts"
import type { Timed } from "../time/Timetable.ts"
import type { Probe } from "./Probes.ts"
import { refOf, type Next, type Session } from "./Session.ts"

/** `aborting`: its opening was told to stop. `leaked`: abandoned at its close deadline. */
export type Phase = "opening" | "aborting" | "live" | "stopping" | "finalizing" | "closed" | "leaked"
export type Finalizer = (reason: CloseReason) => unknown

/** Starts nothing new; closes when its turns have ended. */
export interface Barrier {
  readonly reason: CloseReason
  readonly next: Next
  /** The turns' time is over then. */
  readonly deadline: Timed | undefined
}

export class Generation {
  readonly session: Session
  readonly serial: number
  readonly number: number
  phase: Phase = "opening"
  resource: unknown = undefined
  reason: CloseReason | undefined = undefined
  /** None, one, or many, in the order they were registered. */
  finalizers: Finalizer | ReadonlyArray<Finalizer> | undefined = undefined
  /** Monotonic: when opening began; from Ready on, when it became ready. */
  since: number
  /** Turns, work beside them, and leases: what makes it not idle. */
  inUse = 0
  /** Slots held by running turns. */
  slotsTaken = 0
  /** Runs and streams started on it. */
  turns = 0
  running: TaskList | undefined = undefined
  cold: ColdGeneration | undefined = undefined

  constructor(session: Session, serial: number, number: number, now: number) {
    this.session = session
    this.serial = serial
    this.number = number
    this.since = now
  }
  get ref(): SessionRef {
    return refOf(this.session, this)
  }
  get more(): ColdGeneration {
    return (this.cold ??= new ColdGeneration())
  }
  /** Slots lost to turns that would not end. */
  get slotsLost(): number {
    return this.cold === undefined ? 0 : this.cold.slotsLost
  }
  /** Closed, or abandoned. */
  get gone(): boolean {
    return this.phase === "closed" || this.phase === "leaked"
  }
  /** What was acquired last first. */
  takeFinalizers(): Array<Finalizer> {
    const { finalizers } = this
    this.finalizers = undefined
    if (finalizers === undefined) return []
    return typeof finalizers === "function" ? [finalizers] : finalizers.toReversed()
  }
  addFinalizer(finalizer: Finalizer): void {
    const { finalizers } = this
    // Exact arrays: `push` would reserve room for many more in every session.
    if (finalizers === undefined) this.finalizers = finalizer
    else
      this.finalizers =
        typeof finalizers === "function" ? [finalizers, finalizer] : [...finalizers, finalizer]
  }
}

/** What a generation only has while it opens, closes, or holds something special. */
export class ColdGeneration {
  leases: Set<Lease> | undefined = undefined
  openFrame: Frame | undefined = undefined
  openTrace: Trace | undefined = undefined
  closeTrace: Trace | undefined = undefined
  finalizerFrame: Frame | undefined = undefined
  /** It never became ready, and will not. */
  unopened = false
  /** The opening has not ended, told to stop or not. */
  openPending = false
  /** Acquisitions that have not arrived. */
  arriving = 0
  /** Probes that have been asked and have not ended, wanted or not. */
  probing = 0
  /** Abandoned work that has not ended. */
  abandoned = 0
  slotsLost = 0
  /** Finalizers that run. */
  finalizing = 0
  toRun: Array<Finalizer> = []
  barrier: Barrier | undefined = undefined
  probe: Probe | undefined = undefined
  /** When it is too old. */
  age: Timed | undefined = undefined
  /** Too old or used up, but held by leases: they have until then. */
  recycleGrace: Timed | undefined = undefined
  controller: AbortController | undefined = undefined
  abortReason: unknown = undefined
  save: (() => unknown) | undefined = undefined
  /** What the previous life saved, while this one opens. */
  restored: { readonly state: unknown; read: boolean } | undefined = undefined
  /** The stored version that was read: only on top of it may be saved. */
  version: string | undefined = undefined
  /** Leaked, and its key stays shut until it has really ended: what its close was told. */
  shut: CloseReport | undefined = undefined
  /** Closed for good while it was on its way out: what it saves is not wanted. */
  forgets = false
  openDeadline: Timed | undefined = undefined
  openGrace: Timed | undefined = undefined
  stopGrace: Timed | undefined = undefined
  needGrace: Timed | undefined = undefined
  closeDeadline: Timed | undefined = undefined
  finalizerDeadline: Timed | undefined = undefined
  stable: Timed | undefined = undefined
  closingSince = 0
  /** Declared broken or ended while it was opening. */
  lostEarly: { readonly cause: unknown } | undefined = undefined
  readonly errors: Array<unknown> = []

  /** Nothing of it is needed by a generation that serves. */
  get isEmpty(): boolean {
    return (
      this.leases === undefined &&
      this.controller === undefined &&
      this.save === undefined &&
      this.version === undefined &&
      this.stable === undefined &&
      this.barrier === undefined &&
      this.probe === undefined &&
      this.age === undefined &&
      this.arriving === 0
    )
  }
}
