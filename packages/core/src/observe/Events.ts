/**
 * Events to listeners: collected while they happen, told afterwards in one batch, in order, in the clean context, outside
 * every task (L16). Without a listener an event costs one look at a number. Too many task events between two batches are
 * dropped and counted; facts of a session's life never are.
 */
import { runClean } from "../context.ts"
import type { SessionRefusedReason } from "../errors.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { Lease } from "../task/Leases.ts"
import { taskInfo } from "./taskInfo.ts"
import type { Task } from "../task/Task.ts"
import type { TimeSource } from "../time/TimeSource.ts"
import type { TaskOutcome } from "./Explanation.ts"
import type { SessionEvent, Warning } from "./SessionEvent.ts"

type Listener = (event: SessionEvent) => void
export interface Stamp {
  readonly at: number
  readonly seq: number
}
const mostPending = 4096

export class Events {
  readonly #time: TimeSource
  readonly #listeners = new Set<Listener>()
  #pending: Array<SessionEvent> = []
  #taskEvents = 0
  #dropped = 0
  droppedEvents = 0
  #seq = 0
  #telling = false
  watched = false
  /** What listeners threw. */
  listenerErrors = 0

  constructor(time: TimeSource) {
    this.#time = time
  }

  subscribe(listener: Listener): () => void {
    // A listener of its own each time, so that subscribing one function twice is told twice and ends once each.
    const own: Listener = (event) => listener(event)
    this.#listeners.add(own)
    this.watched = true
    return () => {
      this.#listeners.delete(own)
      this.watched = this.#listeners.size > 0
    }
  }

  lifecycle(make: (stamp: Stamp) => SessionEvent): void {
    if (this.watched) this.#add(make(this.#stamp()))
  }
  /** Something an operator should know, with the numbers it rests on. */
  warning(
    tag: "WarningRaised" | "WarningCleared",
    session: SessionRef,
    warning: Warning,
    evidence: Readonly<Record<string, number>>,
  ): void {
    if (this.watched) this.#add({ _tag: tag, session, warning, evidence, ...this.#stamp() })
  }
  task(tag: "TaskQueued" | "TaskStarted", task: Task): void {
    const { session } = task
    if (session === undefined || task.kind === "lease" || this.#full()) return
    const ref = task.generation?.ref ?? session.ref
    this.#addTaskEvent({ _tag: tag, session: ref, task: taskInfo(task, ref), ...this.#stamp() })
  }
  taskEnded(task: Task, outcome: TaskOutcome, value: unknown): void {
    const { session } = task
    if (session === undefined || task.kind === "lease" || this.#full()) return
    const ref = task.generation?.ref ?? session.ref
    const now = this.#time.now()
    const startedAt = task.generation === undefined ? now : task.startedAt
    this.#addTaskEvent({
      _tag: "TaskEnded",
      session: ref,
      task: taskInfo(task, ref),
      outcome,
      waitedMs: startedAt - task.queuedAt,
      ranMs: now - startedAt,
      error: outcome === "succeeded" ? undefined : value,
      ...this.#stamp(),
    })
  }
  refused(key: string, reason: SessionRefusedReason): void {
    if (!this.#full()) this.#addTaskEvent({ _tag: "Refused", key, reason, ...this.#stamp() })
  }
  lease(tag: "LeaseTaken" | "LeaseReleased" | "LeaseExpired", lease: Lease): void {
    const { session } = lease.generation
    this.#add({
      _tag: tag,
      session: lease.generation.ref,
      lease: session.registry.leases.info(lease),
      ...this.#stamp(),
    })
  }

  #stamp(): Stamp {
    return { at: this.#time.epoch(), seq: ++this.#seq }
  }
  #full(): boolean {
    if (this.#taskEvents < mostPending) return false
    this.#seq++
    this.#dropped++
    this.droppedEvents++
    return true
  }
  #addTaskEvent(event: SessionEvent): void {
    this.#taskEvents++
    this.#add(event)
  }
  #add(event: SessionEvent): void {
    this.#pending.push(event)
    if (this.#telling) return
    this.#telling = true
    // A microtask of the clean context: after the step, outside the turn that caused it.
    runClean(() => void Promise.resolve().then(() => this.#tell()))
  }
  #tell(): void {
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      this.#taskEvents = 0
      if (this.#dropped > 0) {
        batch.push({ _tag: "EventsDropped", count: this.#dropped, ...this.#stamp() })
        this.#dropped = 0
      }
      for (const event of batch) {
        for (const listener of this.#listeners) {
          try {
            const told: unknown = listener(event)
            // An async listener is not waited for, but its failure must not become an unhandled rejection either.
            if (told instanceof Promise) told.catch(() => void this.listenerErrors++)
          } catch {
            this.listenerErrors++
          }
        }
      }
    }
    this.#telling = false
  }
}
