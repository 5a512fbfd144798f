/** Effect's own RcMap, in virtual time, over counted resources: how it behaves where a registry is asked the same. */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RcMap from "effect/RcMap"
import * as Scope from "effect/Scope"
import { VirtualClock } from "../support/VirtualClock.ts"
import { Alive } from "./Alive.ts"

/** A resource in use, until it is given back. */
interface Borrowed {
  readonly serial: number
  readonly giveBack: () => Promise<void>
}

export class BuildFailed extends Data.TaggedError("BuildFailed")<{ readonly cause: unknown }> {}

export interface RcMapWorld {
  readonly clock: VirtualClock
  readonly alive: Alive
  /** Takes the key's resource and gives it back at once; its serial. */
  readonly use: (key: string) => Promise<number>
  readonly useExit: (key: string) => Promise<Exit.Exit<number, unknown>>
  readonly borrow: (key: string) => Promise<Borrowed>
  readonly invalidate: (key: string) => Promise<void>
  /** Closes the scope that the map was made in. */
  readonly close: () => Promise<void>
}

export const rcMapWorld = async (options: {
  readonly idleTimeToLive: number
  readonly capacity?: number
  /** Throws, or not: before the resource of this serial exists. */
  readonly build?: (serial: number) => void
  readonly finalizer?: (key: string) => Effect.Effect<unknown>
}): Promise<RcMapWorld> => {
  const clock = new VirtualClock()
  const alive = new Alive()
  const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
    Effect.runPromise(Effect.provideService(effect, Clock.Clock, clock))
  const runExit = <A, E>(effect: Effect.Effect<A, E>): Promise<Exit.Exit<A, E>> =>
    Effect.runPromiseExit(Effect.provideService(effect, Clock.Clock, clock))
  let serial = 0
  const scope = Scope.makeUnsafe()
  const map = await run(
    RcMap.make({
      idleTimeToLive: options.idleTimeToLive,
      capacity: options.capacity ?? Infinity,
      lookup: (key: string) =>
        Effect.acquireRelease(
          Effect.try({
            try: () => {
              const own = ++serial
              options.build?.(own)
              alive.begin(key)
              return own
            },
            catch: (cause) => new BuildFailed({ cause }),
          }),
          () =>
            Effect.andThen(
              options.finalizer?.(key) ?? Effect.void,
              Effect.sync(() => alive.end(key)),
            ),
        ),
    }).pipe(Scope.provide(scope)),
  )
  const use = (key: string) => Effect.scoped(RcMap.get(map, key))
  return {
    clock,
    alive,
    use: (key) => run(use(key)),
    useExit: (key) => runExit(use(key)),
    borrow: async (key) => {
      const held = Scope.makeUnsafe()
      return {
        serial: await run(RcMap.get(map, key).pipe(Scope.provide(held))),
        giveBack: () => run(Scope.close(held, Exit.void)),
      }
    },
    invalidate: (key) => run(RcMap.invalidate(map, key)),
    close: () => run(Scope.close(scope, Exit.void)),
  }
}
