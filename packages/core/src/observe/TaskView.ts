import type { Session } from "../session/Session.ts"
import type { Task } from "../task/Task.ts"
import { suspendedAfter } from "./Activity.ts"
import { activityOf, Continuations } from "./closeWatch.ts"
import type { TaskInfo } from "./Explanation.ts"
import type { KnownBy, LiveSession, LiveTask, TaskRef, TaskStop } from "./Live.ts"
import { publicTaskState, taskInfo } from "./taskInfo.ts"
import { framesOf } from "./taskStacks.ts"
import { refOfPlace, taskStop } from "./taskStop.ts"

/** A window onto a task. */
export class TaskView implements LiveTask {
  readonly #task: Task
  readonly #viewOf: (session: Session) => LiveSession
  constructor(task: Task, viewOf: (session: Session) => LiveSession) {
    this.#task = task
    this.#viewOf = viewOf
  }
  get id(): string {
    return this.#task.id
  }
  get number(): number {
    return this.#task.number
  }
  get name(): string {
    return this.#task.name
  }
  get kind(): LiveTask["kind"] {
    return this.#task.kind
  }
  get session(): LiveSession {
    // Only tasks in a session's lists are shown.
    return this.#viewOf(this.#task.session as Session)
  }
  get state(): TaskInfo["state"] {
    return publicTaskState(this.#task)
  }
  get queuedAt(): number {
    return this.#task.registry.epochOf(this.#task.queuedAt)
  }
  get startedAt(): number | undefined {
    const task = this.#task
    return task.state === "queued" ? undefined : task.registry.epochOf(task.startedAt)
  }
  get progressAt(): number | undefined {
    const task = this.#task
    return task.state === "queued" ? undefined : task.registry.epochOf(task.progressAt)
  }
  get silence(): number {
    return this.#task.silence
  }
  get waitedMs(): number {
    const { queuedAt, registry, startedAt, state } = this.#task
    return (state === "queued" ? registry.time.now() : startedAt) - queuedAt
  }
  get ranMs(): number {
    const { registry, startedAt, state } = this.#task
    return state === "queued" ? 0 : registry.time.now() - startedAt
  }
  get #runs(): boolean {
    const { state } = this.#task
    return state === "running" || state === "stopping"
  }
  get knownBy(): KnownBy {
    const activity = activityOf(this.#task)
    if (activity === undefined) return "signs"
    return activity instanceof Continuations ? "continuations" : "fibers"
  }
  get suspendedMs(): number | undefined {
    const activity = activityOf(this.#task)
    if (!this.#runs) return 0
    if (activity === undefined || activity instanceof Continuations) return undefined
    const pause = this.#pause ?? 0
    return activity.suspendedMs + (pause >= suspendedAfter ? pause : 0)
  }
  get resumedAt(): number | undefined {
    const activity = activityOf(this.#task)
    return activity === undefined || activity.resumes === 0
      ? undefined
      : this.#task.registry.epochOf(activity.seenAt)
  }
  get resumes(): number | undefined {
    const activity = activityOf(this.#task)
    return activity instanceof Continuations ? undefined : activity?.resumes
  }
  get isSuspended(): boolean | undefined {
    const pause = this.#runs ? this.#pause : 0
    return pause === undefined ? undefined : pause >= suspendedAfter
  }
  get #pause(): number | undefined {
    const { loopTime, time } = this.#task.registry
    const now = time.now()
    // A stall that is over counts as one, also before the pulse has told of it.
    loopTime.catchUp(now)
    return activityOf(this.#task)?.pauseUntil(now, loopTime)
  }
  get toldAt(): number | undefined {
    const { extras, registry } = this.#task
    return extras?.toldAt === undefined ? undefined : registry.epochOf(extras.toldAt)
  }
  get cut(): LiveTask["cut"] {
    return this.#task.cut
  }
  get stop(): TaskStop | undefined {
    const { extras, registry } = this.#task
    return extras?.stop === undefined ? undefined : taskStop(extras.stop, registry.epochOf)
  }
  get abandoned(): boolean {
    return this.#task.abandoned
  }
  get waitsForCall(): boolean {
    return this.#task.waitsForCall
  }
  get waitsForConsumer(): boolean {
    return this.#task.waitsForConsumer
  }
  get parent(): TaskRef | undefined {
    const { extras, parent } = this.#task
    if (parent?.task !== undefined) {
      const { name, number, registry, session } = parent.task
      return refOfPlace({ registry: registry.name, key: session?.key ?? "", name, number })
    }
    // Told to stop with its caller, it may be the one that is left.
    const place = extras?.startedBy ?? extras?.stop?.outer?.task
    return place && refOfPlace(place)
  }
  get caller(): LiveTask | undefined {
    const caller = this.#task.parent?.task
    return caller && new TaskView(caller, this.#viewOf)
  }
  readonly calls = (): Iterable<LiveTask> => callsOf(this.#task, this.#viewOf)
  get note(): string | undefined {
    return this.#task.extras?.note
  }
  get stack(): ReadonlyArray<string> | undefined {
    const { extras, lent } = this.#task
    return extras?.stack && framesOf(extras.stack, lent)
  }
  get info(): TaskInfo {
    const task = this.#task
    return taskInfo(task, task.generation?.ref ?? (task.session as Session).ref)
  }
}

function* callsOf({ frame }: Task, viewOf: (session: Session) => LiveSession): Generator<LiveTask> {
  for (const call of frame?.calls ?? []) yield new TaskView(call, viewOf)
}
