/**
 * A task whose work is an Effect: a root fiber of its own, so that it can be interrupted, abandoned and timed by us. The
 * fiber's end is the work's end.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { runFramed } from "../../context.ts"
import { SessionMisuse } from "../../errors.ts"
import type { TaskOutcome } from "../../observe/Explanation.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { Generation } from "../../session/Generation.ts"
import { Task, type TaskKind } from "../../task/Task.ts"
import { CurrentTask, currentTask, type MakeBackground } from "./CurrentTask.ts"
import { seen } from "./fibersSeen.ts"
import type { SessionContext } from "./SessionContext.ts"
import { inSpan } from "./spans.ts"

export type AnyEffect = Effect.Effect<unknown, unknown>
type Resume = (exit: AnyEffect) => void

export class EffectTask extends Task {
  readonly #effect: AnyEffect
  override readonly lent: Context.Context<never>
  readonly #resume: Resume | undefined
  #fiber: Fiber.Fiber<unknown, unknown> | undefined
  #exit: Exit.Exit<unknown, unknown> | undefined
  #stopped = false

  /** `resume` tells the caller; without it nobody waits. */
  constructor(
    registry: Registry,
    kind: TaskKind,
    name: string,
    beside: boolean,
    effect: AnyEffect,
    context: Context.Context<never>,
    resume: Resume | undefined,
  ) {
    super(registry, kind, name, beside)
    this.#effect = effect
    this.lent = context
    this.#resume = resume
  }

  begin(generation: Generation): void {
    const fiber = runFramed(
      this.carrier,
      this.frame,
      fork,
      this.#effect,
      inSession(this.lent, generation, this),
    )
    this.#fiber = fiber
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return this.#ended(exit)
    if (this.#stopped) fiber.interruptUnsafe()
    fiber.addObserver((end) => this.#ended(end))
  }
  #ended(exit: Exit.Exit<unknown, unknown>): void {
    this.#exit = exit
    if (Exit.isSuccess(exit)) this.registry.turns.ended(this, true, exit.value)
    else this.registry.turns.ended(this, false, Cause.squash(exit.cause))
  }
  stop(): void {
    this.#stopped = true
    this.#fiber?.interruptUnsafe()
  }
  override renew(): boolean {
    this.#fiber = undefined
    this.#exit = undefined
    this.#stopped = false
    return true
  }
  deliver(outcome: TaskOutcome, value: unknown): void {
    const resume = this.#resume
    if (resume === undefined) return
    const end = outcome === "succeeded" || outcome === "failed" ? (this.#exit ?? Exit.void) : refusal(value)
    // Resuming a fiber runs its code: after the step.
    this.registry.steps.after(() => resume(end))
  }
}

/** Misuse is a defect: no program should recover from its own mistake. */
export const refusal = (error: unknown): Exit.Exit<never, unknown> =>
  error instanceof SessionMisuse ? Exit.die(error) : Exit.fail(error)

const fork = (effect: AnyEffect, context: Context.Context<never>): Fiber.Fiber<unknown, unknown> =>
  Effect.runForkWith(context)(effect)

/** The caller's context with the session's few services on top: its own references and span stay the caller's. */
export const inSession = (
  caller: Context.Context<never>,
  generation: Generation,
  task: Task,
): Context.Context<never> =>
  Context.add(
    inSpan((generation.resource as SessionContext).over(seen(caller, task.startedAt)), task.extras?.trace),
    CurrentTask,
    currentTask(task, generation, inBackground),
  )

const inBackground: MakeBackground = (task, name, work, context) =>
  new EffectTask(task.registry, "background", name, true, work, context, undefined)
