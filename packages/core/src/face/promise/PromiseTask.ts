/** A task whose work is a plain function: it runs outside any fiber, so that its slot is held until its promise ends. */
import { runFramed } from "../../context.ts"
import type { TaskOutcome } from "../../observe/Explanation.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { Task as UserTask } from "../../Sessions.ts"
import type { Generation } from "../../session/Generation.ts"
import { Task, type TaskKind } from "../../task/Task.ts"
import { TaskHandle } from "./TaskHandle.ts"

export type Work = (resource: unknown, task: UserTask) => unknown
type Settle = (value: unknown) => void

export class PromiseTask extends Task {
  readonly #work: Work
  #resolve: Settle | undefined = undefined
  #reject: Settle | undefined = undefined
  /** What its caller was told before it asked. */
  #told: unknown = undefined
  #controller: AbortController | undefined = undefined
  #stopReason: unknown = undefined
  /** Only of one that may be put back. */
  #handle: TaskHandle | undefined = undefined

  constructor(registry: Registry, kind: TaskKind, name: string, beside: boolean, work: Work) {
    super(registry, kind, name, beside)
    this.#work = work
  }

  /** For its caller, to be read once, after the hand-in: what has ended by then needs no promise that waits. */
  get result(): Promise<unknown> {
    if (this.outcome === undefined)
      return new Promise((resolve, reject) => {
        this.#resolve = resolve
        this.#reject = reject
      })
    const told = this.#told
    this.#told = undefined
    return this.outcome === "succeeded" ? Promise.resolve(told) : Promise.reject(told)
  }

  begin(generation: Generation): void {
    const handle = new TaskHandle(this)
    if (this.extras?.idempotent === true) this.#handle = handle
    try {
      const result = runFramed(this.carrier, this.frame, this.#work, generation.resource, handle)
      if (isThenable(result))
        Promise.resolve(result).then(
          (value) => this.registry.turns.ended(this, true, value),
          (error: unknown) => this.registry.turns.ended(this, false, error),
        )
      else this.registry.turns.ended(this, true, result)
    } catch (error) {
      this.registry.turns.ended(this, false, error)
    }
  }

  stop(reason: unknown): void {
    this.#stopReason ??= reason
    // Its listeners are part of the turn: they must not see the store of whoever stops it (L19).
    if (this.#controller !== undefined) runFramed(this.carrier, this.frame, abort, this.#controller, reason)
  }
  override renew(): boolean {
    this.#handle?.retire(this.signal)
    this.#controller = undefined
    this.#stopReason = undefined
    return true
  }
  /** Made when it is first read: most tasks never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#stopReason !== undefined) this.#controller.abort(this.#stopReason)
    }
    return this.#controller.signal
  }
  /** Work it started that outlives it. Its failure is told by its event and by `explain`: there is no caller to reject. */
  inBackground(name: string, work: (task: UserTask) => unknown): PromiseTask {
    return new PromiseTask(this.registry, "background", name, true, (_, own) => work(own))
  }
  deliver(outcome: TaskOutcome, value: unknown): void {
    if (this.#resolve === undefined) this.#told = value
    else if (outcome === "succeeded") this.#resolve(value)
    else this.#reject?.(value)
  }
}

const abort = (controller: AbortController, reason: unknown): void => controller.abort(reason)

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  (typeof value === "object" || typeof value === "function") &&
  value !== null &&
  "then" in value &&
  typeof value.then === "function"
