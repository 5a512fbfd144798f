/** The Effect face: a service whose resource is a layer per session, and whose tasks are Effects. Same options, same laws. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { SessionError } from "../../errors.ts"
import { checkedFunction, checkedName, defaultCall, resolveCall, resolvePolicy } from "../../options.ts"
import type { Explanation } from "../../observe/Explanation.ts"
import type { SessionEvent } from "../../observe/SessionEvent.ts"
import type { DrainReport } from "../../observe/Snapshot.ts"
import { displayName, register, unregister } from "../../registry/process.ts"
import { makeInspectable } from "../../observe/inspect.ts"
import { Registry } from "../../registry/Registry.ts"
import type { SessionKey } from "../../SessionKey.ts"
import type {
  CancelOptions,
  CloseOptions,
  LeaseOptions,
  Policy,
  RunOptions,
  StreamOptions,
} from "../../SessionOptions.ts"
import type { AnySessions, CloseReport, Sessions as SessionsInterface } from "../../Sessions.ts"
import { control, type Control as Controls } from "../control.ts"
import type { CurrentSession, CurrentSessionShape } from "./CurrentSession.ts"
import type { AnyEffect } from "./EffectTask.ts"
import { engineBehind, rememberEngine } from "./engines.ts"
import { events } from "./events.ts"
import { layerDriver, type SessionLayer } from "./layerDriver.ts"
import { takeLease, type EffectLease } from "./lease.ts"
import { runEffect, type Engine, type Left, type NoSignal } from "./run.ts"
import { tracingOf } from "./spans.ts"
import { sessionStream, type AnyStream } from "./streams.ts"

type Verb<O, A, Self> = (key: SessionKey, options?: O) => Effect.Effect<A, never, Self>

interface Control<Self, Id extends string, RIn> extends Context.ServiceClass<Self, Id, AnySessions> {
  /** Inline sessions. Closing its scope drains. What the session's layer still needs is shared by all sessions. */
  readonly layer: Layer.Layer<Self, never, RIn>
  readonly close: Verb<CloseOptions, CloseReport | undefined, Self>
  readonly restart: Verb<CloseOptions, CloseReport | undefined, Self>
  readonly cancel: Verb<CancelOptions, number, Self>
  readonly explain: (key: SessionKey) => Effect.Effect<Explanation, never, Self>
  readonly drain: (options?: CloseOptions) => Effect.Effect<DrainReport, never, Self>
  readonly events: Stream.Stream<SessionEvent, never, Self>
}

export interface SessionService<Self, Id extends string, I, EO, RIn> extends Control<Self, Id, RIn> {
  /** The task's own error passes untouched; interruption cancels it and waits for its end, at most `timeouts.grace`. */
  readonly run: <A, E, R>(
    key: SessionKey,
    task: Effect.Effect<A, E, R>,
    options?: NoSignal<RunOptions>,
  ) => Effect.Effect<A, E | SessionError<EO>, Self | Left<R, I>>
  readonly stream: <A, E, R>(
    key: SessionKey,
    task: Stream.Stream<A, E, R>,
    options?: NoSignal<Omit<StreamOptions, "resumable">>,
  ) => Stream.Stream<A, E | SessionError<EO>, Self | Left<R, I>>
  readonly lease: (
    key: SessionKey,
    options?: NoSignal<LeaseOptions>,
  ) => Effect.Effect<EffectLease<I, EO>, SessionError<EO>, Self | Scope.Scope>
}

/** The engine of the service in this fiber's context. */
const engineOf = (context: Context.Context<never>, tag: Context.Service<never, AnySessions>): Engine =>
  engineBehind(Context.getUnsafe(context as Context.Context<unknown>, tag as never))

const makeRegistry = (
  id: string,
  options: Policy & { readonly layer: SessionLayer },
  application: Context.Context<never>,
): { readonly sessions: Controls; readonly engine: Engine } => {
  const policy = resolvePolicy(options, ["layer"])
  const name = displayName(id)
  const registry = new Registry({
    name,
    policy,
    driver: layerDriver(options.layer, application),
    clock: Context.get(application, Clock.Clock),
    random: () => Context.get(application, Random.Random).nextDoubleUnsafe(),
  })
  registry.tracing = tracingOf(registry, application)
  const sessions: Controls = control(registry, () => unregister(sessions))
  const engine = { registry, call: defaultCall(policy) }
  rememberEngine(sessions, engine)
  makeInspectable(sessions, registry)
  register(sessions, policy.timeouts)
  return { sessions, engine }
}

const service =
  <Self>() =>
  <const Id extends string, I, EO, RIn>(
    id: Id,
    options: Policy & { readonly layer: (session: CurrentSessionShape) => Layer.Layer<I, EO, RIn> },
  ): SessionService<Self, Id, I, EO, Exclude<RIn, CurrentSession>> => {
    // A wrong option is told where the service is declared, not when its layer is first built.
    resolvePolicy(options, ["layer"])
    checkedName("name", id)
    checkedFunction("layer", options.layer)
    const tag = class extends Context.Service<Self, AnySessions>()(id) {}
    const anyTag = tag as never as Context.Service<never, AnySessions>
    // From here to the cast at the end types are erased: what a task needs is checked by the signatures above.
    const setup = options as unknown as Policy & { readonly layer: SessionLayer }
    const withEngine = <A, R = never>(
      use: (engine: Engine, context: Context.Context<never>) => Effect.Effect<A, unknown, R>,
    ): Effect.Effect<A, unknown, R> =>
      Effect.withFiber<A, unknown, R>((fiber) => {
        const context = fiber.context
        return use(engineOf(context, anyTag), context)
      })
    const verb = <A>(use: (sessions: Controls) => Promise<A> | A): Effect.Effect<A, unknown> =>
      Effect.withFiber((fiber) =>
        Effect.promise(async () =>
          use(Context.getUnsafe(fiber.context as Context.Context<unknown>, anyTag as never)),
        ),
      )
    const layer = Layer.effect(
      anyTag,
      Effect.gen(function* () {
        const application = yield* Effect.context()
        const { engine, sessions } = makeRegistry(id, setup, application)
        yield* Effect.addFinalizer(() =>
          Effect.callback<void>((done) => {
            engine.registry.draining.begin(usualDrain, () => {
              unregister(sessions)
              done(Exit.void)
            })
          }),
        )
        return sessions
      }),
    )
    return Object.assign(tag, {
      layer,
      run: (key: SessionKey, task: AnyEffect, given?: RunOptions) =>
        withEngine((engine, context) =>
          runEffect(engine, key, task, resolveCall(engine.call, given), context),
        ),
      stream: (key: SessionKey, task: AnyStream, given?: RunOptions) =>
        Stream.unwrap(
          withEngine((engine, context) =>
            Effect.sync(() =>
              sessionStream(engine.registry, key, task, resolveCall(engine.call, given), context),
            ),
          ),
        ),
      lease: (key: SessionKey, given?: LeaseOptions) => withEngine((engine) => takeLease(engine, key, given)),
      close: (key: SessionKey, given?: CloseOptions) => verb((sessions) => sessions.close(key, given)),
      restart: (key: SessionKey, given?: CloseOptions) => verb((sessions) => sessions.restart(key, given)),
      cancel: (key: SessionKey, given?: CancelOptions) => verb((sessions) => sessions.cancel(key, given)),
      explain: (key: SessionKey) => verb((sessions) => sessions.explain(key)),
      drain: (given?: CloseOptions) => verb((sessions) => sessions.drain(given)),
      events: Stream.unwrap(withEngine((engine) => Effect.succeed(events(engine.registry)))),
    }) as never
  }

const usualDrain = 10_000

/** A registry of inline sessions on the Promise face. */
export type Sessions<R, H = {}, S = {}> = SessionsInterface<R, H, S>

/**
 * Declares sessions as an Effect service: `class Workspaces extends Sessions.Service<Workspaces>()("app/Workspaces", { layer })`.
 *
 * `layer` is built once per session, for all who wait; what it still needs is shared by all sessions. Tasks are any Effects
 * that need its services. Options as in `Policy`.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const Sessions = { Service: service }
