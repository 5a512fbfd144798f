/** What a task's Effect can know and do about itself. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { checkedName } from "../../options.ts"
import type { SessionRef } from "../../SessionKey.ts"
import type { Generation } from "../../session/Generation.ts"
import { Activity } from "../../observe/Activity.ts"
import { doAfterwards, noteProgress, startBackground } from "../../task/background.ts"
import type { Task } from "../../task/Task.ts"

/** In the context of every task. */
export interface CurrentTaskShape {
  readonly id: string
  readonly name: string
  readonly session: SessionRef
  /** Succeeds when the registry begins to drain: for work that would go on for ever and can end by itself. */
  readonly draining: Effect.Effect<void>
  /** A sign of life: restarts the `silence` clock; the note (at most 256 characters) is shown. */
  readonly progress: (note?: string) => Effect.Effect<void>
  /** The resource can no longer be used; this task keeps its own outcome. */
  readonly broken: (cause?: unknown) => Effect.Effect<void>
  /** Close the session after this turn. */
  readonly close: Effect.Effect<void>
  /** Restart the session after this turn. */
  readonly restart: Effect.Effect<void>
  /** Work that outlives the turn: tracked, holds the session, ends with it. `false` when the session is ending. */
  readonly background: <E, R>(
    name: string,
    work: Effect.Effect<unknown, E, R>,
  ) => Effect.Effect<boolean, never, R>
}

export class CurrentTask extends Context.Service<CurrentTask, CurrentTaskShape>()(
  "@sojourn/core/CurrentTask",
) {}

/** Makes the task of work that is to run in the background. */
export type MakeBackground = (
  task: Task,
  name: string,
  work: Effect.Effect<unknown, unknown>,
  context: Context.Context<never>,
) => Task

export const currentTask = (
  task: Task,
  generation: Generation,
  background: MakeBackground,
): CurrentTaskShape => new TaskServices(task, generation, background)

/** A fiber goes on: whose task is it part of? */
export const noteFiber = ({ context }: Fiber.Fiber<unknown, unknown>): void => {
  const services: unknown = Context.getOrUndefined(context, CurrentTask)
  if (services instanceof TaskServices) services.ranOn()
}

/** Effects are made when they are read: most tasks never look. */
class TaskServices extends Activity implements CurrentTaskShape {
  readonly #task: Task
  readonly #generation: Generation
  readonly #background: MakeBackground
  constructor(task: Task, generation: Generation, background: MakeBackground) {
    super(task.startedAt, task.registry.loopTime)
    this.#task = task
    this.#generation = generation
    this.#background = background
  }
  ranOn(): void {
    const task = this.#task
    if (this.resumes === 0) task.activity = this
    // What a run left behind when it ended, or was put back, is not the task (L21).
    else if (task.activity !== this || task.state === "ended") return
    try {
      this.ran(task.registry.loopTime)
    } catch (error) {
      // Thrown into the run loop of the fiber, it would be the task's own end (L16).
      task.registry.defect(error, task.session)
    }
  }
  get id(): string {
    return this.#task.id
  }
  get name(): string {
    return this.#task.name
  }
  get session(): SessionRef {
    return this.#generation.ref
  }
  get draining(): Effect.Effect<void> {
    const { signal } = this.#task.registry.draining
    return Effect.callback<void>((done) => {
      const told = (): void => done(Effect.void)
      if (signal.aborted) return told()
      signal.addEventListener("abort", told, { once: true })
      return Effect.sync(() => signal.removeEventListener("abort", told))
    })
  }
  get progress(): CurrentTaskShape["progress"] {
    return (note) => Effect.sync(() => noteProgress(this.#task, this.#generation, note))
  }
  get broken(): CurrentTaskShape["broken"] {
    return (cause) =>
      Effect.sync(() => this.#task.registry.supervision.broken(this.#generation, cause, this.#task))
  }
  get close(): Effect.Effect<void> {
    return Effect.sync(() => doAfterwards(this.#task, this.#generation, "close"))
  }
  get restart(): Effect.Effect<void> {
    return Effect.sync(() => doAfterwards(this.#task, this.#generation, "restart"))
  }
  get background(): CurrentTaskShape["background"] {
    return (name, work) =>
      Effect.withFiber((fiber) =>
        Effect.sync(() => {
          checkedName("name", name)
          const context = fiber.context
          return startBackground(this.#task, this.#generation, () =>
            this.#background(this.#task, name, work as Effect.Effect<unknown, unknown>, context),
          )
        }),
      )
  }
}
