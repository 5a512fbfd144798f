/** Leases of the Effect face: held as long as the caller's scope. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { milliseconds, resolveCall, resolveNames, type Call } from "../../options.ts"
import type { SessionError } from "../../errors.ts"
import type { SessionKey, SessionRef } from "../../SessionKey.ts"
import type { LeaseOptions, RunOptions } from "../../SessionOptions.ts"
import type { CloseReason } from "../../Sessions.ts"
import type { Lease } from "../../task/Leases.ts"
import { LeaseTask } from "../promise/LeaseTask.ts"
import { refusal, type AnyEffect } from "./EffectTask.ts"
import { runEffect, type Engine, type Left, type NoSignal } from "./run.ts"

/** Held on one generation. `ended`: why it is over, `"Expired"` when the lease was silent too long or too old. */
export interface EffectLease<I, EO> {
  readonly session: SessionRef
  readonly progress: Effect.Effect<void>
  readonly ended: Effect.Effect<CloseReason | "Expired">
  readonly run: <A, E, R>(
    task: Effect.Effect<A, E, R>,
    options?: NoSignal<RunOptions>,
  ) => Effect.Effect<A, E | SessionError<EO>, Left<R, I>>
}

export const takeLease = (
  engine: Engine,
  key: SessionKey,
  options: LeaseOptions | undefined,
): Effect.Effect<EffectLease<never, never>, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    resolveNames(options, ["name", "silence", "mustExist"])
    const { registry } = engine
    const call = resolveCall(engine.call, options)
    const silence = milliseconds("silence", options?.silence, registry.policy.timeouts.lease, 1)
    const scope = yield* Effect.scope
    // Uninterruptible from the grant to its finalizer; waiting for it is not.
    const lease = yield* Effect.uninterruptibleMask((restore) =>
      Effect.tap(restore(requestLease(engine, key, { ...call, silence })), (granted) =>
        Scope.addFinalizer(
          scope,
          Effect.sync(() => registry.leases.end(granted, "released")),
        ),
      ),
    )
    return leaseOf(engine, key, lease)
  })

const requestLease = (engine: Engine, key: SessionKey, call: Call): Effect.Effect<Lease, unknown> =>
  Effect.withFiber(({ context }) =>
    Effect.callback<Lease, unknown>((resume) => {
      const { registry } = engine
      let granted: Lease | undefined
      const task = new LeaseTask(
        registry,
        call.name ?? "lease",
        (lease) => {
          granted = lease
          registry.steps.after(() => resume(Exit.succeed(lease)))
        },
        (error) => registry.steps.after(() => resume(refusal(error))),
        context,
      )
      registry.handIn.take(task, key, call)
      return Effect.sync(() => {
        // Granted in the very moment in which its holder was interrupted: nobody else could give it back.
        if (granted !== undefined) registry.leases.end(granted, "released")
        registry.stops.stopForCaller(task, "Cancelled")
        registry.steps.commit()
      })
    }),
  )

const leaseOf = (engine: Engine, key: SessionKey, lease: Lease): EffectLease<never, never> => {
  const { leases } = engine.registry
  const run = (task: AnyEffect, options?: RunOptions): AnyEffect =>
    Effect.withFiber((fiber) =>
      runEffect(engine, key, task, resolveCall(engine.call, options), fiber.context, lease),
    )
  return {
    session: lease.generation.ref,
    progress: Effect.sync(() => {
      if (lease.ended === undefined) leases.progress(lease)
    }),
    ended: Effect.callback<CloseReason | "Expired">((resume) => {
      const tell = (): void => resume(Exit.succeed(endOf(lease)))
      if (lease.told) return tell()
      ;(lease.onEnd ??= []).push(tell)
    }),
    run: run as never,
  }
}

const endOf = (lease: Lease): CloseReason | "Expired" => {
  // Not over yet, but the registry drains, and it will be.
  if (lease.ended === undefined) return "Drained"
  return lease.ended === "revoked" ? (lease.generation.reason ?? "Requested") : "Expired"
}
