/**
 * What is written down of a round: plain data, so that the oracle can be asked about any book, an honest one or one that
 * was tampered with.
 */
import type { SessionEvent, Snapshot, WhenBusy } from "@sojourn/core"

/** `tick` orders what happened in this process; `at` is monotonic milliseconds. */
export interface Moment {
  readonly tick: number
  readonly at: number
}

/** What a registry was told to keep to, as numbers. Times are milliseconds. */
export interface Terms {
  readonly concurrency: number
  readonly maxSessions: number
  readonly maxPerOwner: number
  readonly seat: number
  readonly queue: number
  readonly open: number
  readonly silence: number
  readonly stall: number
  readonly lease: number
  readonly grace: number
  readonly close: number
  readonly onLeak: "reopen" | "wait"
  /** A lost session is rebuilt, and its queue waits for that. */
  readonly rebuilds: boolean
}

export interface Heard {
  readonly moment: Moment
  readonly event: SessionEvent
}

/** One registry, from its making to the end of its drain. */
export interface SiteRecord {
  readonly number: number
  readonly name: string
  readonly terms: Terms
  /** Where its sessions save; registries with the same one share what they saved. "own": nobody else has it. */
  readonly store: string
  readonly heard: Array<Heard>
  /** Taken when its drain had resolved, before anything that hung was let go; and after. */
  drained: Snapshot | undefined
  drainedAt: number | undefined
  quiet: Snapshot | undefined
}

export type CallVerb = "run" | "stream" | "lease" | "background"

/** Work that was handed in, or in the case of `background` started by a task. */
export interface Call {
  readonly number: number
  readonly verb: CallVerb
  readonly site: SiteRecord
  readonly key: string
  /** Handing in is synchronous, so this is also its place in line. */
  readonly handed: Moment
  readonly parent: Call | undefined
  /** Made from inside a finalizer or an opening. */
  readonly fromLife: Life | undefined
  readonly whenBusy: WhenBusy
  readonly detach: boolean
  readonly mustExist: boolean
  readonly idempotent: boolean
  readonly timeout: number | undefined
  /** Only on this generation: work of a lease. */
  readonly boundTo: number | undefined
  readonly resumable: boolean
  aborted: { readonly moment: Moment; readonly reason: unknown } | undefined
  readonly starts: Array<Start>
  /** The last sign of life the engine can know of. */
  signAt: number
  /** Calls it made that have not been told. */
  nested: number
  /** Its body asked for its session to be closed after it. */
  closes: boolean
  /** Each run of the body, as the body itself saw it. */
  readonly ends: Array<{ readonly moment: Moment; readonly returned: boolean; readonly value: unknown }>
  told: { readonly moment: Moment; readonly fulfilled: boolean; readonly value: unknown } | undefined
  /** How often its promise settled, or its stream came to an end. */
  tellings: number
  stream: StreamRecord | undefined
  lease: LeaseRecord | undefined
}

export interface Start {
  readonly moment: Moment
  readonly life: Life
  /** The body's own signal aborted. */
  stopSeen: Moment | undefined
}

export interface StreamRecord {
  /** The consumer waits for an element since then. */
  askedAt: number | undefined
  /** The consumer left before the end. */
  left: boolean
  /** What `started` said. */
  begun: boolean | undefined
  taken: number
  given: number
}

export interface LeaseRecord {
  readonly serial: number
  /** The holder's last use of it. */
  usedAt: number
  /** Its turns that have not been told or have not ended. */
  turns: number
  released: boolean
  ended: Moment | undefined
}

/** One thing that a generation acquired and has to give back. */
export interface Piece {
  readonly number: number
  readonly what: string
  /** Asked for; differs from `registered` when the resource came later. */
  readonly asked: Moment
  registered: Moment | undefined
  readonly releases: Array<Moment>
  released: { readonly moment: Moment; readonly error: unknown } | undefined
}
/** A question to a store under way. */
export interface StoreOp extends Span {
  readonly store: string
  readonly key: string
}
/** A child process; its end is seen by its exit, whoever sees to it. */
export interface ChildRecord {
  readonly pid: number
  /** Its session is closed only when it has exited. */
  readonly owned: boolean
  readonly started: Moment
  exited: Moment | undefined
}
export interface Span {
  readonly started: Moment
  ended: Moment | undefined
}

/** `state` is undefined when it threw. */
export interface Save extends Span {
  state: unknown
}

/** One generation as its `open` and its resource saw it. */
export interface Life {
  readonly site: SiteRecord
  readonly key: string
  readonly serial: number
  readonly opened: Moment
  openEnded: { readonly moment: Moment; readonly returned: boolean; readonly value: unknown } | undefined
  readonly restored: unknown
  readonly pieces: Array<Piece>
  /** What was said to have broken it. */
  readonly declared: Array<unknown>
  readonly saves: Array<Save>
  readonly probes: Array<Span>
  readonly children: Array<ChildRecord>
}

export type AskVerb = "close" | "restart" | "cancel" | "drain" | "resume"
/** What was asked of a session or a registry that is no work. */
export interface Ask {
  readonly number: number
  readonly verb: AskVerb
  readonly site: SiteRecord
  readonly key: string
  readonly asked: Moment
  readonly within: number
  /** Made from inside a turn. */
  readonly parent: Call | undefined
  told: { readonly moment: Moment; readonly fulfilled: boolean; readonly value: unknown } | undefined
  tellings: number
}

/** The event loop stood still for so long until then. */
export interface Stall {
  readonly at: number
  readonly ms: number
}

export interface Round {
  readonly number: number
  readonly sites: ReadonlyArray<SiteRecord>
  readonly calls: ReadonlyArray<Call>
  readonly lives: ReadonlyArray<Life>
  readonly asks: ReadonlyArray<Ask>
  readonly stalls: ReadonlyArray<Stall>
  readonly storeOps: ReadonlyArray<StoreOp>
}

export interface Violation {
  /** The rule's name. */
  readonly rule: string
  readonly what: string
  /** The key it is about, as the trace writes it. */
  readonly about: string | undefined
}
