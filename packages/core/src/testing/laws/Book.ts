/** What a schedule writes down of every call, body, opening and finalizer: what the laws are held against. */
import type { Registry } from "../../registry/Registry.ts"
import type { CloseReport, Lease as UserLease, Session as UserSession, Sessions } from "../../Sessions.ts"
import type { SessionKey } from "../../SessionKey.ts"
import type { DrainReport } from "../../observe/Snapshot.ts"
import type { TaskOutcome } from "../../observe/Explanation.ts"
import type { Generation } from "../../session/Generation.ts"
import type { Session } from "../../session/Session.ts"
import type { Task } from "../../task/Task.ts"
import type { Thing, World } from "./world.ts"
import type { Ask, FinalizerPlan, OpenPlan, Program } from "./plans.ts"

export interface Site {
  readonly index: number
  readonly world: World<Thing>
  readonly sessions: Sessions<Thing>
  readonly registry: Registry
  readonly drains: Array<{ readonly asked: number; readonly within: number; report: DrainReport | undefined }>
  /** Entries of the timetable that keep the process alive. */
  held: number
  /** Commits that are being carried out. */
  depth: number
}

/** A body, an opening or a finalizer that calls are made from. */
export interface Holder {
  readonly site: Site
  readonly key: string
  readonly kind: "turn" | "open" | "finalizer"
  readonly call: Call | undefined
  /** Calls it made that have not been told. */
  readonly calls: Set<Call>
  readonly isActive: () => boolean
}

export interface Call {
  readonly number: number
  readonly kind: "run" | "lease" | "background"
  readonly site: Site
  readonly key: string
  readonly ask: Ask | undefined
  readonly program: Program
  readonly parent: Holder | undefined
  /** Its caller goes on when it is told. */
  awaited: boolean
  readonly boundTo: number | undefined
  readonly handedAt: number
  readonly holder: Holder
  task: Task | undefined
  starts: number
  life: Life | undefined
  ended: { readonly returned: boolean; readonly value: unknown; readonly at: number } | undefined
  /** As the engine fixed it. */
  outcome: { readonly is: TaskOutcome; readonly value: unknown; readonly at: number } | undefined
  /** As its promise told it. */
  told: { readonly fulfilled: boolean; readonly value: unknown; readonly at: number } | undefined
  /** Its caller aborted. */
  aborted: { readonly at: number; readonly reason: unknown } | undefined
  stopSeen: { readonly at: number; readonly reason: unknown } | undefined
  /** It waited for something that waits for it, when it was handed in. */
  wouldWait: boolean | undefined
  /** Made by a turn that had been told to stop before: it is not stopped once more. */
  afterStop: boolean
  lease: UserLease<UserSession<Thing>> | undefined
}

export interface Finalizer {
  readonly number: number
  readonly plan: FinalizerPlan
  /** Registered when its generation was finalizing or gone. */
  late: boolean
  /** Its resource came after `open` had asked for it. */
  readonly arrived: boolean
  readonly registeredAt: number
  starts: number
  startedAt: number
  endedAt: number | undefined
}
export interface Life {
  readonly site: Site
  readonly key: string
  readonly generation: Generation
  readonly plan: OpenPlan
  readonly holder: Holder
  readonly finalizerHolder: Holder
  readonly finalizers: Array<Finalizer>
  readonly bodies: Set<Call>
  openEnded: boolean
  /** Somebody said that it can no longer be used. */
  declared: boolean
  wasAborting: boolean
  finalizingSince: number | undefined
  goneAt: number | undefined
  /** The last moment it was seen in use or waited for. */
  busyAt: number
  wasBusy: boolean
  readyAt: number | undefined
  /** Slots whose turns were abandoned. */
  slotsLost: number
  /** Since when somebody has waited for it. */
  neededSince: number | undefined
  /** Probes of it that have not ended. */
  probing: number
  /** When it was asked for its state. */
  savedAt: number | undefined
  /** When a task of it asked for a close. */
  closedByTask: number | undefined
}
export interface Closer {
  readonly site: Site
  readonly key: string
  readonly what: "close" | "restart"
  readonly asked: number
  readonly within: number
  /** Handed in before and not started. */
  readonly before: ReadonlyArray<Call>
  report: CloseReport | undefined
  refused: boolean
  done: boolean
}

const mostLines = 4_000

export class Book {
  readonly now: () => number
  readonly lines: Array<string> = []
  readonly violations: Array<string> = []
  readonly calls: Array<Call> = []
  readonly byTask = new Map<Task, Call>()
  readonly lives: Array<Life> = []
  readonly byGeneration = new Map<Generation, Life>()
  readonly closers: Array<Closer> = []
  readonly holders = new Set<Holder>()
  readonly stalls: Array<{ readonly at: number; readonly ms: number }> = []
  readonly losses = new Map<string, Array<number>>()
  /** Closed to make room by hand. */
  readonly evictions = new Set<Session>()
  /** The call being handed in this very moment. */
  pending: Call | undefined

  /**
   * The face runs work as fibers: one that was told to stop exits with its interruption whatever its promise returned, so
   * only the Promise face can say that work which was cut has succeeded.
   */
  readonly fibers: boolean

  constructor(now: () => number, fibers: boolean) {
    this.now = now
    this.fibers = fibers
  }
  note(line: string): void {
    if (this.lines.length < mostLines)
      this.lines.push(`${String(Math.round(this.now())).padStart(7)}  ${line}`)
  }
  broken(law: string): void {
    this.violations.push(law)
    this.note(`VIOLATION ${law}`)
  }
  expect(holds: boolean, law: string | (() => string)): void {
    if (!holds) this.broken(typeof law === "string" ? law : law())
  }
  /** Time the event loop stood still since then. */
  stalledSince(at: number): number {
    return this.stalls.reduce((sum, stall) => (stall.at > at ? sum + stall.ms : sum), 0)
  }

  call(of: Pick<Call, "kind" | "site" | "key" | "ask" | "program" | "parent" | "awaited" | "boundTo">): Call {
    const holder: Holder = {
      site: of.site,
      key: of.key,
      kind: "turn",
      get call() {
        return call
      },
      calls: new Set(),
      isActive: () => call.task?.state === "running" || call.task?.state === "stopping",
    }
    const call: Call = {
      ...of,
      number: this.calls.length + 1,
      handedAt: this.now(),
      holder,
      task: undefined,
      starts: 0,
      life: undefined,
      ended: undefined,
      outcome: undefined,
      told: undefined,
      aborted: undefined,
      stopSeen: undefined,
      wouldWait: undefined,
      afterStop: false,
      lease: undefined,
    }
    this.calls.push(call)
    return call
  }

  life(site: Site, generation: Generation, plan: OpenPlan): Life {
    const { key } = generation.session
    const of = { site, key, call: undefined }
    const life: Life = {
      site,
      key,
      generation,
      plan,
      holder: {
        ...of,
        kind: "open",
        calls: new Set(),
        isActive: () =>
          generation.cold?.openPending === true &&
          (generation.phase === "opening" || generation.phase === "aborting"),
      },
      finalizerHolder: {
        ...of,
        kind: "finalizer",
        calls: new Set(),
        isActive: () => generation.phase === "finalizing",
      },
      finalizers: [],
      bodies: new Set(),
      openEnded: false,
      declared: false,
      wasAborting: false,
      finalizingSince: undefined,
      goneAt: undefined,
      busyAt: this.now(),
      wasBusy: true,
      readyAt: undefined,
      slotsLost: 0,
      neededSince: undefined,
      probing: 0,
      savedAt: undefined,
      closedByTask: undefined,
    }
    this.lives.push(life)
    this.byGeneration.set(generation, life)
    return life
  }
}

export const nameOf = (call: Call): string => `${call.kind} ${call.number} on ${call.site.index}/${call.key}`
export const lifeName = (life: Life): string => `${life.site.index}/${life.key}#${life.generation.serial}`
export const keyText = (key: SessionKey): string => (typeof key === "string" ? key : JSON.stringify(key))
