/** What a session's layer can know and do about its session; in the layer's context, and handed to `layer`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { resolveProbe } from "../../options.ts"
import type { SessionRef } from "../../SessionKey.ts"
import type { ProbeOptions } from "../../SessionOptions.ts"
import type { CloseReason, ProbeContext } from "../../Sessions.ts"
import type { Generation } from "../../session/Generation.ts"
import { isOver, keep } from "../../session/ownership.ts"

export type ProbeCheck =
  | Effect.Effect<unknown, unknown>
  | ((context: Pick<ProbeContext, "why" | "error">) => Effect.Effect<unknown, unknown>)

export interface CurrentSessionShape extends SessionRef {
  /** What `save` gave in this key's previous life, else undefined. `unknown`: an older release may have written it. */
  readonly restored: unknown
  /** State for the next life, structured-cloneable; asked at every orderly end. */
  readonly save: (state: Effect.Effect<unknown>) => Effect.Effect<void>
  /**
   * A finalizer with a deadline of its own. Those of the layer's scope share one: behind a hanging one the others would
   * not start. Runs before the layer's scope closes; at once when the session is over already.
   */
  readonly onClose: (
    finalizer: (reason: CloseReason) => Effect.Effect<unknown, unknown>,
  ) => Effect.Effect<void>
  /**
   * Still good? `false`, a failure, or its `timeout` passed: the session is broken. Asked after a task failed with its own
   * error, before a turn on stale trust, and `every` so often; only while no turn runs, and never as a use. The last one
   * given counts. It is interrupted when its answer is no longer wanted. As a function it is told why it is asked.
   */
  readonly probe: (check: ProbeCheck, options?: ProbeOptions) => Effect.Effect<void>
  /** It can no longer be used: running tasks stop, queued ones wait for the next generation. */
  readonly broken: (cause?: unknown) => Effect.Effect<void>
  /** The same, for listeners. */
  readonly brokenUnsafe: (cause?: unknown) => void
  /** It is done: close when the running tasks have ended. Not an error. */
  readonly end: Effect.Effect<void>
  /** The same, for listeners. */
  readonly endUnsafe: () => void
}

export class CurrentSession extends Context.Service<CurrentSession, CurrentSessionShape>()(
  "@sojourn/core/CurrentSession",
) {}

/** `run`: runs an Effect of the session's own in the application's context. */
export const currentSession = (generation: Generation, run: RunOwn): CurrentSessionShape =>
  new SessionServices(generation, run)

export type RunOwn = (
  effect: Effect.Effect<unknown, unknown>,
  options?: { readonly signal: AbortSignal },
) => Promise<unknown>

/** Functions are made when they are read: every session keeps one of these. */
class SessionServices implements CurrentSessionShape {
  readonly #generation: Generation
  readonly #run: RunOwn
  constructor(generation: Generation, run: RunOwn) {
    this.#generation = generation
    this.#run = run
  }
  get name(): string {
    return this.#generation.session.registry.name
  }
  get key(): string {
    return this.#generation.session.key
  }
  get id(): string {
    return this.#generation.session.id
  }
  get owner(): string | undefined {
    return this.#generation.session.owner
  }
  get generation(): number {
    return this.#generation.number
  }
  get serial(): number {
    return this.#generation.serial
  }
  get restored(): unknown {
    return this.#generation.session.registry.saving.restored(this.#generation)
  }
  get save(): CurrentSessionShape["save"] {
    return (state) =>
      Effect.sync(() => {
        if (!isOver(this.#generation)) this.#generation.more.save = () => this.#run(state)
      })
  }
  get probe(): CurrentSessionShape["probe"] {
    return (check, options) =>
      Effect.sync(() => {
        const policy = resolveProbe(options)
        const { registry } = this.#generation.session
        if (!isOver(this.#generation))
          registry.probes.set(
            this.#generation,
            ({ why, error, signal }) =>
              this.#run(typeof check === "function" ? check({ why, error }) : check, { signal }),
            policy,
          )
      })
  }
  get onClose(): CurrentSessionShape["onClose"] {
    return (finalizer) => Effect.sync(() => keep(this.#generation, (reason) => this.#run(finalizer(reason))))
  }
  get broken(): CurrentSessionShape["broken"] {
    return (cause) => Effect.sync(() => this.brokenUnsafe(cause))
  }
  get brokenUnsafe(): (cause?: unknown) => void {
    return (cause) => this.#generation.session.registry.supervision.broken(this.#generation, cause)
  }
  get end(): Effect.Effect<void> {
    return Effect.sync(this.endUnsafe)
  }
  get endUnsafe(): () => void {
    return () => this.#generation.session.registry.supervision.end(this.#generation)
  }
}
