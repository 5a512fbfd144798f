/**
 * Builds a session's layer: in a fiber of the application's context, never of the first caller's (L19), with a memo map
 * forked for each generation, so that what the layer builds is never shared between sessions while what the application
 * has built is.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { currentFrame, runClean } from "../../context.ts"
import type { Driver } from "../../registry/Registry.ts"
import type { Generation } from "../../session/Generation.ts"
import { keep } from "../../session/ownership.ts"
import { CurrentSession, currentSession, type CurrentSessionShape, type RunOwn } from "./CurrentSession.ts"
import { SessionContext } from "./SessionContext.ts"
import { inSpan } from "./spans.ts"

export type SessionLayer = (session: CurrentSessionShape) => Layer.Layer<never, unknown>

export const layerDriver = (layer: SessionLayer, application: Context.Context<never>): Driver => {
  // The span in which the registry was made has ended long before most sessions open.
  const context = Context.omit(Tracer.ParentSpan)(application)
  const fork = Effect.runForkWith(context)
  const run: RunOwn = (effect, options) =>
    Effect.runPromiseWith(inSpan(context, currentFrame()?.trace))(effect, options)
  const building = new WeakMap<Generation, Fiber.Fiber<unknown, unknown>>()

  const open = (generation: Generation): void => {
    const { opening } = generation.session.registry
    const scope = Scope.makeUnsafe()
    // Registered first, so closed last: what `CurrentSession.onClose` registers may still use the layer's services.
    keep(generation, () => run(Scope.close(scope, Exit.void)))
    const current = currentSession(generation, run)
    const memoMap = Layer.CurrentMemoMap.forkOrCreate(context)
    const build = Effect.suspend(() => Layer.buildWithMemoMap(layer(current), memoMap, scope)).pipe(
      Effect.map((built) => new SessionContext(Context.add(built, CurrentSession, current))),
      Effect.provideService(CurrentSession, current),
    )
    const trace = generation.cold?.openTrace
    const fiber = trace === undefined ? fork(build) : Effect.runForkWith(inSpan(context, trace))(build)
    building.set(generation, fiber)
    fiber.addObserver((exit) => {
      building.delete(generation)
      if (Exit.isSuccess(exit)) opening.settled(generation, true, exit.value)
      else opening.settled(generation, false, Cause.squash(exit.cause))
    })
  }
  return {
    open: (generation) => runClean(() => open(generation), generation.cold?.openFrame),
    abort: (generation) => building.get(generation)?.interruptUnsafe(),
  }
}
