/**
 * The Effect face in the shape of the Promise face: tasks written as promise functions run as Effects whose interruption
 * aborts their signal and waits for their end, which is what an honest wrapper of such code does.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type { CurrentSessionShape } from "../../src/face/effect/CurrentSession.ts"
import { CurrentTask } from "../../src/face/effect/CurrentTask.ts"
import { Sessions } from "../../src/face/effect/Sessions.ts"
import { registryOf } from "../../src/face/effect/engines.ts"
import type { SessionKey } from "../../src/SessionKey.ts"
import type { AtOptions, LeaseOptions, RunOptions } from "../../src/SessionOptions.ts"
import type {
  AnySessions,
  CloseReason,
  Lease,
  Opening,
  Session,
  Sessions as PromiseSessions,
  Task,
} from "../../src/Sessions.ts"
import type { SessionEvent } from "../../src/observe/SessionEvent.ts"
import { Ledger, storyOf, type Policy, type Thing, type World } from "./ledger.ts"
import { VirtualClock } from "./VirtualClock.ts"

class ThingService extends Context.Service<ThingService, Thing>()("test/Thing") {}
let worlds = 0

/** A promise function as an Effect: interrupted, it is told by its signal and waited for. */
const effectOf = <A>(start: (signal: AbortSignal) => A | PromiseLike<A>): Effect.Effect<A, unknown> =>
  Effect.callback<A, unknown>((resume) => {
    const controller = new AbortController()
    const work = new Promise<A>((resolve) => resolve(start(controller.signal)))
    work.then(
      (value) => resume(Exit.succeed(value)),
      (error: unknown) => resume(Exit.fail(error)),
    )
    return Effect.promise(() => {
      controller.abort(new Error("interrupted"))
      return Promise.allSettled([work])
    })
  })

export const effectWorld = (
  policy: Policy = {},
  before?: (opening: Opening) => unknown,
  clock = new VirtualClock(),
): World<Thing> => {
  const ledger = new Ledger()
  const thingLayer = (session: CurrentSessionShape): Layer.Layer<ThingService, unknown> =>
    Layer.effect(
      ThingService,
      Effect.gen(function* () {
        const signal = new AbortController()
        yield* session.onClose(() => Effect.sync(() => signal.abort(new Error("over"))))
        const opening = openingOf(session, signal.signal)
        yield* effectOf((aborted) => {
          aborted.addEventListener("abort", () => signal.abort(new Error("given up")))
          return before?.(opening)
        })
        const thing = ledger.acquire(opening)
        yield* session.onClose(() => Effect.sync(() => ledger.release(thing)))
        return thing
      }),
    )
  class Service extends Sessions.Service<Service>()(`test/World${++worlds}`, {
    ...policy,
    layer: thingLayer,
  }) {}
  const scope = Scope.makeUnsafe()
  const context = Effect.runSync(
    Layer.buildWithScope(Service.layer, scope).pipe(
      Effect.provideService(Clock.Clock, clock),
      Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 }),
    ),
  )
  const base: AnySessions = Context.get(context, Service)
  const run = async <A>(
    verb: (
      task: Effect.Effect<A, unknown, ThingService | CurrentTask>,
      options: Omit<RunOptions, "signal">,
    ) => Effect.Effect<A, unknown, Service>,
    work: (thing: Thing, task: Task) => A | PromiseLike<A>,
    options: RunOptions | undefined,
  ): Promise<A> => {
    const { signal, ...rest } = options ?? {}
    if (signal?.aborted === true) throw signal.reason
    const effect = Effect.gen(function* () {
      const thing = yield* ThingService
      const task = yield* CurrentTask
      return yield* effectOf((aborted) => work(thing, taskOf(task, aborted)))
    })
    const exit = Effect.runPromiseExitWith(context)(
      verb(effect, rest),
      signal === undefined ? {} : { signal },
    )
    // The caller's abort is told at once on the Promise face; the fiber itself waits for its task.
    const told = await Promise.race([exit, ...(signal === undefined ? [] : [untilAborted(signal)])])
    if (told === "aborted") throw signal?.reason
    if (Exit.isSuccess(told)) return told.value
    if (isAborted(signal) && Cause.hasInterruptsOnly(told.cause)) throw signal?.reason
    throw Cause.squash(told.cause)
  }
  const sessionRun =
    (key: SessionKey, defaults?: AtOptions): Session<Thing>["run"] =>
    (work, options) =>
      run((task, rest) => Service.run(key, task, rest), work, { ...(defaults as RunOptions), ...options })
  const lease = async (key: SessionKey, options?: LeaseOptions): Promise<Lease<Session<Thing>>> => {
    const { signal, ...rest } = options ?? {}
    const held = Scope.makeUnsafe()
    const exit = await Effect.runPromiseExitWith(context)(
      Service.lease(key, rest).pipe(Scope.provide(held)),
      signal === undefined ? {} : { signal },
    )
    if (Exit.isFailure(exit)) throw signal?.aborted === true ? signal.reason : Cause.squash(exit.cause)
    const granted = exit.value
    const controller = new AbortController()
    void Effect.runPromiseWith(context)(granted.ended).then((why) => controller.abort(new Error(why)))
    const release = async (): Promise<void> => {
      controller.abort(new Error("released"))
      await Effect.runPromise(Scope.close(held, Exit.void))
    }
    return {
      ...unused,
      key,
      session: granted.session,
      signal: controller.signal,
      progress: () => Effect.runSync(granted.progress),
      release,
      [Symbol.asyncDispose]: release,
      run: ((work: (thing: Thing, task: Task) => never, given?: RunOptions) =>
        run((task, own) => granted.run(task, own) as never, work, given)) as never,
    } as unknown as Lease<Session<Thing>>
  }
  const sessions = {
    ...base,
    ...unused,
    run: (key: SessionKey, work: never, options?: RunOptions) => sessionRun(key)(work, options),
    lease,
    at: (key: SessionKey, defaults?: AtOptions) => ({
      ...unused,
      key,
      run: sessionRun(key, defaults),
      close: (options: never) => base.close(key, options),
      cancel: (options: never) => base.cancel(key, options),
    }),
  } as unknown as PromiseSessions<Thing>
  const events: Array<SessionEvent> = []
  sessions.subscribe((event) => events.push(event))
  return { sessions, registry: registryOf(base), clock, ledger, events, story: () => storyOf(events) }
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true
const untilAborted = (signal: AbortSignal): Promise<"aborted"> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted"), { once: true }))

/** What the Effect face says otherwise: tests of these are the Promise face's. */
const unused = Object.fromEntries(
  ["stream", "call", "resume"].map((verb) => [
    verb,
    () => {
      throw new Error(`${verb} is written as a Stream on the Effect face`)
    },
  ]),
)

const openingOf = (session: CurrentSessionShape, signal: AbortSignal): Opening => ({
  name: session.name,
  key: session.key,
  id: session.id,
  owner: session.owner,
  generation: session.generation,
  serial: session.serial,
  signal,
  get restored() {
    return session.restored
  },
  use: async (resource: unknown, release?: (resource: unknown, reason: CloseReason) => unknown) => {
    const value = await resource
    Effect.runSync(session.onClose((reason) => effectOf(() => release?.(value, reason))))
    return value
  },
  onClose: (finalizer) => Effect.runSync(session.onClose((reason) => effectOf(() => finalizer(reason)))),
  save: (state) => Effect.runSync(session.save(Effect.promise(async () => state()))),
  probe: (check, options) =>
    Effect.runSync(
      session.probe((context) => effectOf((asked) => check({ ...context, signal: asked })), options),
    ),
  broken: session.brokenUnsafe,
  end: session.endUnsafe,
})

/** An Effect that succeeds when something begins, as the signal of that. */
const signalWhen = (begun: Effect.Effect<void>): AbortSignal => {
  const controller = new AbortController()
  Effect.runFork(begun).addObserver(() => controller.abort(new Error("begun")))
  return controller.signal
}

const taskOf = (task: Context.Service.Shape<typeof CurrentTask>, signal: AbortSignal): Task => ({
  id: task.id,
  name: task.name,
  session: task.session,
  signal,
  get draining() {
    return signalWhen(task.draining)
  },
  progress: (note) => Effect.runSync(task.progress(note)),
  background: (name, work) =>
    Effect.runSync(
      task
        .background(
          name,
          Effect.flatMap(CurrentTask, (own) => effectOf((aborted) => work(taskOf(own, aborted)))),
        )
        .pipe(Effect.provideService(CurrentTask, task)),
    ),
  broken: (cause) => Effect.runSync(task.broken(cause)),
  close: () => Effect.runSync(task.close),
  restart: () => Effect.runSync(task.restart),
})
