/** A real registry in virtual time, whose user's code can be made to fail, and which looks after itself for what it leaves. */
import { invalidOption } from "../errors.ts"
import { createSessionsWith } from "../face/createSessions.ts"
import { milliseconds } from "../options.ts"
import { makeInspectable } from "../observe/inspect.ts"
import type { SessionEvent } from "../observe/SessionEvent.ts"
import type { Registry } from "../registry/Registry.ts"
import { resolveKey, type SessionKey } from "../SessionKey.ts"
import type { SessionOptions, Time } from "../SessionOptions.ts"
import type { Lease, Session, Sessions } from "../Sessions.ts"
import { Faults, type Fault } from "./Faults.ts"
import { heldAfter } from "./handles.ts"
import { lineOf } from "./lineOf.ts"
import { listed } from "./problems.ts"
import { VirtualClock } from "./VirtualClock.ts"
import { overlaid, Watch, type At } from "./Watch.ts"

/**
 * The kit of one test. Disposing it drains, lets go of what hangs, and throws one error that lists what is still held and
 * which faults never fired; so write `await using kit = testSessions(…)`.
 */
export interface TestSessions<R, H = {}, S = {}> extends AsyncDisposable {
  /** The registry under test: everything it does is real but the time. */
  readonly sessions: Sessions<R, H, S>
  /** Every event so far. */
  readonly events: ReadonlyArray<SessionEvent>
  /** The lives of the sessions: "alice#1 opened", "alice#1 closed: Idle". */
  readonly log: ReadonlyArray<string>
  /**
   * Lets virtual time pass, from one deadline to the next. Resolves when all that became due has been started and what that
   * does in real time has ended: an opening, a task, a release. It waits for those in real time as well, until nothing has
   * moved for a second (an opening or a release: three; what holds nothing that could move it: a tenth of one).
   */
  readonly advance: (time: Time) => Promise<void>
  /** Closes an idle session as if its seat were needed. Rejects when there is none, or it is in use. */
  readonly evict: (key: SessionKey) => Promise<void>
  /** The next open, task, probe or close throws instead of doing its work; a close also does its work. */
  readonly fail: (at: At, fault?: Fault) => void
  /** The same, but it never ends and takes no notice of its signal. It ends when the kit is disposed. */
  readonly hang: (at: At, fault?: Fault) => void
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

// Real milliseconds: what is on its way out may take as long.
const lingers = 1000
/** Virtual milliseconds. Beyond these a drain has not ended as it should have. */
const forDraining = 10_000
const openGrace = 5_000
const atMostEach = 60_000

/**
 * Creates sessions for a test. Timers of users' own, and the world outside, stay real.
 *
 * @throws SessionMisuse `InvalidOption`, as `createSessions` does.
 */
export const testSessions = <R, H = {}, S = {}>(options: SessionOptions<R, H, S>): TestSessions<R, H, S> => {
  const faults = new Faults()
  const watch = new Watch({ before: faults.meet })
  const clock = new VirtualClock(() => watch.underWay.quiet())
  // The middle of the jitter's range, always: the same test takes the same way.
  const { registry, sessions: plain } = createSessionsWith(watch.options(options), {
    clock,
    random: () => 0.5,
  })
  const sessions = watched(plain, watch)
  makeInspectable(sessions, registry)
  const events: Array<SessionEvent> = []
  const log: Array<string> = []
  plain.subscribe((event) => {
    events.push(event)
    const line = lineOf(event)
    if (line !== undefined) log.push(line)
  })
  let passing: Promise<void> | undefined
  const advance = async (time: Time): Promise<void> => {
    const ms = milliseconds("time", time, 0)
    if (ms === Infinity) throw invalidOption("time: a finite time is allowed, got Infinity.")
    // One after the other, or time would go back.
    const before = passing
    passing = (async () => {
      await before
      await watch.underWay.reconsider()
      await clock.advance(ms)
    })()
    await passing
  }
  let over: Promise<void> | undefined
  return {
    sessions,
    events,
    log,
    advance,
    evict: async (key) => {
      evict(registry, key)
      await advance(0)
    },
    fail: (at, fault) => faults.arm("fail", at, fault),
    hang: (at, fault) => faults.arm("hang", at, fault),
    // Called inside a turn it is refused, and can be called again.
    [Symbol.asyncDispose]: async () => {
      if (registry.draining.isInside()) await plain.drain()
      await passing
      await (over ??= end(options.name, registry, plain, watch, faults, clock))
    },
  }
}

/** The registry, with a watch on every function handed to it. */
const watched = <R, H, S>(plain: Sessions<R, H, S>, watch: Watch): Sessions<R, H, S> => {
  const handle = <T extends Session<R, H, S>>(session: T): T => {
    const own: Partial<Session<R, H, S>> = {
      run: (task, options) => session.run(watch.run(task), options),
      stream: (task, options) => session.stream(watch.stream(task), options),
    }
    return overlaid(session, own as Partial<T>)
  }
  return {
    ...plain,
    run: (key, task, options) => plain.run(key, watch.run(task), options),
    stream: (key, task, options) => plain.stream(key, watch.stream(task), options),
    at: (key, defaults) => handle(plain.at(key, defaults)),
    lease: async (key, options) => handle<Lease<Session<R, H, S>>>(await plain.lease(key, options)),
  }
}

const evict = (registry: Registry, key: SessionKey): void => {
  const { canonical } = resolveKey(key)
  const session = registry.sessions.get(canonical)
  if (session?.idle !== true) {
    const state = session === undefined ? "Closed" : session.state
    throw new Error(
      `evict: ${canonical} is ${state === "Ready" ? "in use" : state}. Only an idle session is ever evicted.`,
    )
  }
  registry.closing.begin(session, "Evicted", "forget")
  registry.steps.commit()
}

/** No longer than L14 allows. */
const letDrain = async (registry: Registry, clock: VirtualClock, isDrained: () => boolean): Promise<void> => {
  const { close, grace } = registry.policy.timeouts
  const bound = forDraining + Math.max(openGrace, Math.min(grace, atMostEach)) + Math.min(close, atMostEach)
  const until = clock.now + bound
  await clock.advance(0)
  while (!isDrained() && clock.now < until)
    await clock.advance(Math.max(1, Math.min(clock.nextAt, until) - clock.now))
}

const end = async (
  name: string,
  registry: Registry,
  sessions: Pick<Sessions<unknown>, "drain" | "snapshot">,
  watch: Watch,
  faults: Faults,
  clock: VirtualClock,
): Promise<void> => {
  let isDrained = false
  const drained = sessions.drain().finally(() => (isDrained = true))
  // Told below, once everything that hangs was let go.
  drained.catch(() => {})
  const pass = (): Promise<void> => letDrain(registry, clock, () => isDrained)
  await pass()
  faults.letGo()
  // Without a deadline of its own, what hung has kept it until now.
  await pass()
  await watch.underWay.quiet()
  const problems = [...faults.unfired]
  for (const { what } of watch.underWay.all) problems.push(`${what} has not ended`)
  for (const { holder, place, state, verb } of watch.acquired) {
    if (state === "held")
      problems.push(`what ${holder.name} was given by ${verb} at ${place} was not released`)
  }
  for (const { by, place, what } of await heldAfter(lingers, watch.holders)) {
    problems.push(`${what} of ${by} is still there, made at ${place}`)
  }
  watch.close()
  if (isDrained) await drained
  else problems.push(`it has not drained: ${JSON.stringify(sessions.snapshot().counts)}`)
  if (problems.length > 0) throw listed(`The test of "${name}" leaves something behind`, problems)
}
