/** Handing an Effect in, from the fiber that waits for it. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Call } from "../../options.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { SessionKey } from "../../SessionKey.ts"
import type { Lease } from "../../task/Leases.ts"
import type { Task } from "../../task/Task.ts"
import type { CurrentSession } from "./CurrentSession.ts"
import type { CurrentTask } from "./CurrentTask.ts"
import { EffectTask, type AnyEffect } from "./EffectTask.ts"

/** What the caller must still provide: not what the session's layer gives. */
export type Left<R, I> = Exclude<R, I | CurrentSession | CurrentTask>
/** Interruption is the signal. */
export type NoSignal<O> = Omit<O, "signal">
/** What stands behind the service's value. */
export interface Engine {
  readonly registry: Registry
  readonly call: Call
}

/** Hands in an Effect; interrupting the caller cancels it. */
export const runEffect = (
  engine: Engine,
  key: SessionKey,
  effect: AnyEffect,
  call: Call,
  caller: Context.Context<never>,
  lease?: Lease,
): AnyEffect =>
  Effect.callback<unknown, unknown>((resume) => {
    const { registry } = engine
    const task = new EffectTask(
      registry,
      "turn",
      call.name ?? "run",
      call.whenBusy === "overlap",
      effect,
      caller,
      resume,
    )
    registry.handIn.take(task, key, call, lease)
    return leaving(registry, task)
  })

/** What the caller lent must not be taken back while the task still uses it: its fiber waits, at most `grace`. */
const leaving = (registry: Registry, task: Task): Effect.Effect<void> =>
  Effect.callback<void>((done) => {
    const started = task.state === "running" || task.state === "stopping"
    if (started) registry.stops.whenEnded(task, () => done(Effect.void))
    registry.stops.stopForCaller(task, "Cancelled")
    registry.steps.commit()
    if (!started) done(Effect.void)
  })
