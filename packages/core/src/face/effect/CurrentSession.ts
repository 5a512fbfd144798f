/** What a session's layer can know and do about its session; in the layer's context, and handed to `layer`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { SessionRef } from "../../SessionKey.ts"
import type { CloseReason } from "../../Sessions.ts"
import type { Generation } from "../../session/Generation.ts"
import { isOver, keep } from "../../session/ownership.ts"

export interface CurrentSessionShape extends SessionRef {
  /** What `save` gave in this key's previous life, else undefined. `unknown`: an older release may have written it. */
  readonly restored: unknown
  /** State for the next life, structured-cloneable; asked at every orderly end. */
  readonly save: (state: Effect.Effect<unknown>) => Effect.Effect<void>
  /**
   * A finalizer with a deadline of its own. Those of the layer's scope share one: behind a hanging one the others would
   * not start. Runs before the layer's scope closes; at once when the session is over already.
   */
  readonly onClose: (finalizer: (reason: CloseReason) => Effect.Effect<unknown, unknown>) => Effect.Effect<void>
  /** It can no longer be used: running tasks stop, queued ones wait for the next generation. */
  readonly broken: (cause?: unknown) => Effect.Effect<void>
  /** The same, for listeners. */
  readonly brokenUnsafe: (cause?: unknown) => void
  /** It is done: close when the running tasks have ended. Not an error. */
  readonly end: Effect.Effect<void>
  /** The same, for listeners. */
  readonly endUnsafe: () => void
}

export class CurrentSession extends Context.Service<CurrentSession, CurrentSessionShape>()("@sojourn/core/CurrentSession") {}

/** `run`: runs an Effect of the session's own in the application's context. */
export const currentSession = (
  generation: Generation,
  run: (effect: Effect.Effect<unknown, unknown>) => Promise<unknown>,
): CurrentSessionShape => {
  const { session } = generation
  const { registry } = session
  const { supervision } = registry
  const brokenUnsafe = (cause?: unknown): void => supervision.broken(generation, cause)
  const endUnsafe = (): void => supervision.end(generation)
  const saved = registry.saved.get(session.key)
  return {
    ...generation.ref,
    restored: saved === undefined ? undefined : structuredClone(saved),
    save: (state) =>
      Effect.sync(() => {
        if (!isOver(generation)) generation.more.save = () => run(state)
      }),
    onClose: (finalizer) => Effect.sync(() => keep(generation, (reason) => run(finalizer(reason)))),
    broken: (cause) => Effect.sync(() => brokenUnsafe(cause)),
    brokenUnsafe,
    end: Effect.sync(endUnsafe),
    endUnsafe,
  }
}
