/**
 * What a registry keeps under a key, from the first waiter until nothing is left. Its flat fields are what an idle session
 * costs; everything that most sessions never have is in `cold`.
 */
import type { ResolvedKey, SessionRef } from "../SessionKey.ts"
import type { CloseReport } from "../Sessions.ts"
import type { Explanation, SessionFact } from "../observe/Explanation.ts"
import type { Registry } from "../registry/Registry.ts"
import type { TaskList } from "../task/Task.ts"
import { Timed } from "../time/Timetable.ts"
import type { Generation } from "./Generation.ts"

/**
 * `Dormant`: nothing runs; kept only while something must be remembered. `Waiting`: in line for a seat. `Backoff`: has a
 * seat, waits to open again. `Stopping`: its generation is going; `next` says what then.
 */
export type LifeState = "Dormant" | "Waiting" | "Backoff" | "Opening" | "Ready" | "Stopping" | "Quarantined"
export type Next = "forget" | "reopen" | "quarantine"

export interface Cold {
  /** When generations were lost, monotonic, within the restart window. */
  failures: ReadonlyArray<number>
  /** Failed opens in a row. */
  attempt: number
  /** Not opened before this. */
  retryAt: number
  /** Quarantined until this. */
  until: number
  /** Quarantines in a row. */
  coolDowns: number
  /** The next generation decides whether the key is quarantined again. */
  trial: boolean
  /** Openings in a row that read a saved state and failed. */
  failedRestores: number
  /** It is being rebuilt because of `restart.eager`: also when nobody waits. */
  eager: boolean
  lastError: unknown
  backoff: Timed | undefined
  closers: Array<(report: CloseReport | undefined) => void>
  errors: Array<Explanation["errors"][number]>
  /** Kept once something noteworthy has happened. */
  facts: Array<SessionFact> | undefined
}

export class Session extends Timed {
  readonly registry: Registry
  readonly key: string
  readonly id: string
  readonly owner: string | undefined
  /** The key was a string that is its own canonical text: it may be looked up without resolving. */
  readonly plain: boolean
  state: LifeState = "Dormant"
  next: Next = "forget"
  seated = false
  /** In the lists of those who watch the registry's changes. */
  noted = false
  generation: Generation | undefined = undefined
  generations = 0
  /** Turns that wait for a slot. */
  queue: TaskList | undefined = undefined
  /** Lease requests and work beside the turns, which wait for the generation alone. */
  arrivals: TaskList | undefined = undefined
  cold: Cold | undefined = undefined

  constructor(registry: Registry, key: ResolvedKey) {
    super()
    this.registry = registry
    this.key = key.canonical
    this.id = key.id
    this.owner = key.owner
    this.plain = key.plain
  }

  /** Idle for the whole of `idleTimeout`, or nothing left to remember: which one depends on the state. */
  due(): void {
    if (this.state === "Ready") this.registry.closing.idleDue(this)
    else this.registry.forget(this)
  }
  get waiting(): number {
    return (this.queue?.size ?? 0) + (this.arrivals?.size ?? 0)
  }
  get idle(): boolean {
    return this.state === "Ready" && this.generation?.inUse === 0 && this.waiting === 0
  }
  get more(): Cold {
    return (this.cold ??= {
      failures: [],
      attempt: 0,
      retryAt: 0,
      until: 0,
      coolDowns: 0,
      trial: false,
      failedRestores: 0,
      eager: false,
      lastError: undefined,
      backoff: undefined,
      closers: [],
      errors: [],
      facts: undefined,
    })
  }
  get ref(): SessionRef {
    return refOf(this, this.generation)
  }
}

export const refOf = (session: Session, generation: Generation | undefined): SessionRef => ({
  name: session.registry.name,
  key: session.key,
  id: session.id,
  owner: session.owner,
  generation: generation?.number ?? session.generations,
  serial: generation?.serial ?? 0,
})
