/** A small application on the Effect face, in virtual time. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { CurrentSession } from "../../src/face/effect/CurrentSession.ts"
import { registryOf } from "../../src/face/effect/engines.ts"
import type { Registry } from "../../src/registry/Registry.ts"
import type { AnySessions } from "../../src/Sessions.ts"
import { VirtualClock } from "../support/VirtualClock.ts"

export class QueryError extends Error {
  readonly _tag = "QueryError"
}
export class ConnectError extends Error {
  readonly _tag = "ConnectError"
  readonly url: string
  constructor(url: string) {
    super("cannot connect")
    this.url = url
  }
}

/** Shared by the application. */
export class Models extends Context.Service<Models, { readonly built: number }>()("test/Models") {
  static built = 0
  static readonly layer = Layer.effect(
    Models,
    Effect.sync(() => ({ built: ++Models.built })),
  )
}

interface Rows {
  readonly session: string
  readonly models: number
  readonly number: number
  readonly query: (sql: string) => Effect.Effect<string, QueryError>
}
/** Built once per session. A constant layer: it would be shared if sessions shared a memo map. */
export class Database extends Context.Service<Database, Rows>()("test/Database") {
  static built = 0
  static readonly closed: Array<string> = []
  static readonly layer = Layer.effect(
    Database,
    Effect.gen(function* () {
      const models = yield* Models
      const session = yield* CurrentSession
      if (session.id === "unreachable") return yield* Effect.fail(new ConnectError("db://nowhere"))
      const number = ++Database.built
      yield* Effect.addFinalizer(() => Effect.sync(() => Database.closed.push(session.key)))
      return {
        session: session.key,
        models: models.built,
        number,
        query: (sql) =>
          sql === "" ? Effect.fail(new QueryError("empty")) : Effect.succeed(`${session.key}: ${sql}`),
      }
    }),
  )
}

export interface Running<Self> {
  readonly clock: VirtualClock
  readonly registry: Registry
  readonly run: <A, E>(
    effect: Effect.Effect<A, E, Self>,
    options?: { readonly signal?: AbortSignal },
  ) => Promise<A>
  readonly exit: <A, E>(effect: Effect.Effect<A, E, Self>) => Promise<Exit.Exit<A, E>>
  readonly stop: () => Promise<void>
}

/** Builds the service's layer, over virtual time. */
export const start = async <Self>(
  service: Context.Service<Self, AnySessions> & { readonly layer: Layer.Layer<Self, never, Models> },
): Promise<Running<Self>> => {
  const clock = new VirtualClock()
  const scope = Scope.makeUnsafe()
  const layer = service.layer.pipe(Layer.provide(Models.layer))
  const built = await Effect.runPromise(
    Layer.buildWithScope(layer, scope).pipe(Effect.provideService(Clock.Clock, clock)),
  )
  const context = Context.add(built, Clock.Clock, clock)
  return {
    clock,
    registry: registryOf(Context.get(context, service)),
    run: (effect, options) => Effect.runPromiseWith(context)(effect, options ?? {}),
    exit: (effect) => Effect.runPromiseExitWith(context)(effect),
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
}
