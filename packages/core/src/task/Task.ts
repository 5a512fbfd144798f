/**
 * One unit of work, from hand-in to its real end. Two separate steps end it, each at most once: the caller is *told* (its
 * `outcome` is fixed), and the work *ends* (its slot is free). Normally both happen together.
 *
 * Subclasses say how a kind of work starts, is told to stop, and how its caller is told; they decide nothing.
 */
import type { Carrier } from "../context.ts"
import type { SessionRefusedReason, TaskStoppedReason } from "../errors.ts"
import type { Activity } from "../observe/Activity.ts"
import type { Continuations } from "../observe/closeWatch.ts"
import type { TaskOutcome } from "../observe/Explanation.ts"
import type { StopRecord, TaskPlace } from "../observe/StopRecord.ts"
import type { TaskStats } from "../observe/TaskNames.ts"
import { takeStack, taskStacks, type TakenStack } from "../observe/taskStacks.ts"
import type { Trace } from "../observe/Tracing.ts"
import type { Registry } from "../registry/Registry.ts"
import type { Generation } from "../session/Generation.ts"
import type { CallerSignal } from "../SessionOptions.ts"
import type { Session } from "../session/Session.ts"
import { Timed } from "../time/Timetable.ts"
import type { Frame } from "./Frame.ts"
import type { Lease } from "./Leases.ts"

export type TaskKind = "turn" | "stream" | "background" | "lease"
export type TaskState = "queued" | "running" | "stopping" | "ended"

/** What only some tasks have. */
export interface TaskExtras {
  timeout?: Timed | undefined
  unlisten?: (() => void) | undefined
  note?: string | undefined
  /** Called when the work has really ended or was abandoned. */
  onEnd?: Array<() => void> | undefined
  /** Asked for by the task itself, carried out after it. */
  afterwards?: "close" | "restart" | undefined
  /** Our own clock that ended it, and so its outcome. */
  hangGrace?: Timed | undefined
  seat?: Timed | undefined
  /** The lease it works for. */
  lease?: Lease | undefined
  /** Made when its own `draining` is first read. */
  draining?: AbortController | undefined
  /** It may be started once more after a lost generation (L12). */
  idempotent?: true
  /** It has been put back, and is not put back again. */
  replayed?: true
  /** When it was told to stop. */
  toldAt?: number | undefined
  trace?: Trace | undefined
  /** That it was told to stop, and what came of it. */
  stop?: StopRecord | undefined
  /** Of work in the background: the task that started it. */
  startedBy?: TaskPlace
  stack?: TakenStack | undefined
  /** What was seen of this run's code while somebody looked closely. */
  continuations?: Continuations | undefined
  /** It waits for its session to be ready, which was on its way, or had to be opened for it. */
  awaits?: "joined" | "miss" | undefined
}

export abstract class Task extends Timed {
  readonly registry: Registry
  readonly kind: TaskKind
  readonly name: string
  readonly number: number
  /** Runs beside the turns, taking none. */
  readonly beside: boolean
  /** What the caller lends it: on the Effect face the context of its fiber. */
  declare readonly lent?: unknown
  state: TaskState = "queued"
  /** Fixed once: the caller has been told. */
  outcome: TaskOutcome | undefined = undefined
  /** Why we told it to stop. */
  cut: TaskStoppedReason | undefined = undefined
  abandoned = false
  session: Session | undefined = undefined
  generation: Generation | undefined = undefined
  /** Only on this generation: work of a lease. */
  bound: Generation | undefined = undefined
  parent: Frame | undefined = undefined
  frame: Frame | undefined = undefined
  carrier: Carrier | undefined = undefined
  queuedAt = 0
  startedAt = 0
  progressAt = 0
  /** `LoopTime.stalled` at the last sign of life. */
  stallMark = 0
  /** Milliseconds without a sign of life. */
  silence = Infinity
  before: Task | undefined = undefined
  behind: Task | undefined = undefined
  extras: TaskExtras | undefined = undefined
  /** The caller's signal, until it is listened to. */
  unheard: CallerSignal | undefined = undefined
  /** Of its name, from its start on. */
  stats: TaskStats | undefined = undefined
  /** What is seen of this run's code, from its start on, where anything can be. */
  activity: Activity | undefined = undefined

  constructor(registry: Registry, kind: TaskKind, name: string, beside: boolean) {
    super()
    this.registry = registry
    this.kind = kind
    this.name = name
    this.beside = beside
    this.number = registry.nextTask()
    if (taskStacks.share > 0) this.more.stack = takeStack(Task)
  }

  /** Calls the user's code; ends with `registry.turns.ended`. Called after the step that decided it is committed. */
  abstract begin(generation: Generation): void
  /** Tells the work to stop. Called after the step. */
  abstract stop(reason: unknown): void
  /** Made ready to begin once more; `false`: this kind of work cannot. */
  renew(): boolean {
    return false
  }
  /** Tells the caller. Runs no user code. */
  abstract deliver(outcome: TaskOutcome, value: unknown): void

  /** Its queue clock while it waits, its silence clock while it runs. */
  due(now: number): void {
    if (this.state === "queued") this.registry.answers.refuse(this, "QueueTimeout")
    else this.registry.hangs.silenceDue(this, now)
  }
  /** It cannot give a sign of life: a call it made is under way, or nobody asks it for the next element. */
  get waitsForOthers(): boolean {
    return this.waitsForConsumer || this.waitsForCall
  }
  /** Of a stream: nobody asks for the next element. */
  get waitsForConsumer(): boolean {
    return false
  }
  get waitsForCall(): boolean {
    const calls = this.frame?.calls
    if (calls === undefined) return false
    for (const call of calls) if (call.outcome === undefined) return true
    return false
  }
  get id(): string {
    return `t${this.number}`
  }
  get started(): boolean {
    return this.generation !== undefined || this.extras?.replayed === true
  }
  get more(): TaskExtras {
    return (this.extras ??= {})
  }
}

export type Refusal = SessionRefusedReason

/** First in, first out, with O(1) removal from anywhere; linked through the tasks themselves. */
export class TaskList {
  first: Task | undefined = undefined
  last: Task | undefined = undefined
  size = 0
  push(task: Task): void {
    const last = this.last
    task.before = last
    task.behind = undefined
    this.last = task
    if (last === undefined) this.first = task
    else last.behind = task
    this.size++
  }
  /** Back to its old place: tasks are numbered in the order of their hand-in. */
  putBack(task: Task): void {
    let next = this.first
    while (next !== undefined && next.number < task.number) next = next.behind
    if (next === undefined) return this.push(task)
    task.before = next.before
    task.behind = next
    if (next.before === undefined) this.first = task
    else next.before.behind = task
    next.before = task
    this.size++
  }
  remove(task: Task): void {
    const { before, behind } = task
    if (before === undefined) this.first = behind
    else before.behind = behind
    if (behind === undefined) this.last = before
    else behind.before = before
    task.before = undefined
    task.behind = undefined
    this.size--
  }
  *[Symbol.iterator](): Generator<Task> {
    // Taken down first: whoever iterates may remove the task it was given.
    const tasks: Array<Task> = []
    for (let task = this.first; task !== undefined; task = task.behind) tasks.push(task)
    yield* tasks
  }
}
