/** What Effect itself has for a resource per key. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as LayerMap from "effect/LayerMap"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as RcMap from "effect/RcMap"
import * as Scope from "effect/Scope"
import type { Ledger, Resource } from "../fixture.ts"

/** The resource as a service. */
export class Held extends Context.Service<Held, Resource>()("@sojourn/bench/Held") {}

const acquire = (ledger: Ledger, key: string) =>
  Effect.acquireRelease(
    Effect.sync(() => ledger.open(key)),
    () => Effect.sync(ledger.close),
  )

export const layerOf = (ledger: Ledger, key: string): Layer.Layer<Held> =>
  Layer.effect(Held, acquire(ledger, key))

/** Something built, and how to let it go. */
export interface Kept<A> {
  readonly value: A
  readonly close: () => Promise<void>
}

export const keep = async <A>(make: Effect.Effect<A, never, Scope.Scope>): Promise<Kept<A>> => {
  const scope = Scope.makeUnsafe()
  const value = await Effect.runPromise(Scope.provide(make, scope))
  return { value, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

export const makeRcMap = (
  ledger: Ledger,
  idleTimeToLive: "5 minutes" | "Infinity" | number = "5 minutes",
): Promise<Kept<RcMap.RcMap<string, Resource>>> =>
  keep(RcMap.make({ lookup: (key: string) => acquire(ledger, key), idleTimeToLive }))

export const makeLayerMap = (ledger: Ledger): Promise<Kept<LayerMap.LayerMap<string, Held>>> =>
  keep(LayerMap.make((key: string) => layerOf(ledger, key), { idleTimeToLive: "5 minutes" }))

/** One runtime, no keys: what a program has that does without sessions. */
export const makeRuntime = (ledger: Ledger, key: string): ManagedRuntime.ManagedRuntime<Held, never> =>
  ManagedRuntime.make(layerOf(ledger, key))
