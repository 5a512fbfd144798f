/**
 * One registry: its sessions, and the parts that carry out what the pure decisions say. Each part is one subject of
 * `semantics.md`; they reach each other through here. Nothing in here knows promises or Effects: a face brings a `Driver`
 * for opens and its own kinds of `Task`.
 */
import type * as Clock from "effect/Clock"
import { heapShare } from "../heap.ts"
import { SessionRefused } from "../errors.ts"
import type { ResolvedKey, SessionRef } from "../SessionKey.ts"
import type { CloseReason } from "../Sessions.ts"
import { Events } from "../observe/Events.ts"
import { FlightRecorder, type RememberedEnd } from "../observe/FlightRecorder.ts"
import { Monitor } from "../observe/Monitor.ts"
import type { Tracing } from "../observe/Tracing.ts"
import type { ResolvedPolicy } from "../options.ts"
import { Closing } from "../session/Closing.ts"
import type { Generation } from "../session/Generation.ts"
import { mayFollow } from "../session/lifecycle.ts"
import { Opening } from "../session/Opening.ts"
import { OutageBreaker } from "../session/OutageBreaker.ts"
import { Probes } from "../session/Probes.ts"
import { Recycling } from "../session/Recycling.ts"
import { Saving } from "../session/Saving.ts"
import { Session, type LifeState } from "../session/Session.ts"
import { Supervision } from "../session/Supervision.ts"
import { Answers } from "../task/Answers.ts"
import { Hangs } from "../task/Hangs.ts"
import { Leases } from "../task/Leases.ts"
import { Stops } from "../task/Stops.ts"
import { Turns } from "../task/Turns.ts"
import { Waiters } from "../task/Waiters.ts"
import { LoopTime } from "../time/LoopTime.ts"
import { timeSource, type TimeSource } from "../time/TimeSource.ts"
import { Timetable, type TimedList } from "../time/Timetable.ts"
import { Changes, type ChangeList } from "./Changes.ts"
import { Draining } from "./Draining.ts"
import { HeapWatch } from "./HeapWatch.ts"
import { HandIn } from "./HandIn.ts"
import { Seats } from "./Seats.ts"
import { Steps } from "./Steps.ts"

/** How a face builds and gives up a resource. */
export interface Driver {
  /** Calls the user's open in the clean context; ends with `registry.opening.settled`. */
  readonly open: (generation: Generation) => void
  /** Beyond the signal: an Effect face interrupts here. */
  readonly abort: (generation: Generation) => void
}

export interface RegistrySetup {
  readonly name: string
  readonly policy: ResolvedPolicy
  readonly driver: Driver
  /** Effect's default clock unless given. */
  readonly clock?: Clock.Clock | undefined
  /** 0 to 1, for jitter. */
  readonly random?: (() => number) | undefined
  /** How full the heap is, 0 to 1. */
  readonly heap?: (() => number) | undefined
}

// What is kept of keys without a generation is bounded (L26).
const rememberedSessions = 10_000
const rememberedEnds = 1_000

const nowhere: SessionRef = { name: "", key: "", id: "", owner: undefined, generation: 0, serial: 0 }
/** Once a registry: it is the first that tells most, and a broken engine must not flood a log. */
const reportDefect = (error: unknown): void => {
  if (typeof process !== "object" || typeof process.emitWarning !== "function") return
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.emitWarning("a mistake inside Sojourn; please report it", { type: "SojournDefect", detail })
}

/** Milliseconds. */
const clockStep = 2

export class Registry {
  readonly name: string
  readonly policy: ResolvedPolicy
  readonly driver: Driver
  readonly time: TimeSource
  readonly random: () => number
  readonly sessions = new Map<string, Session>()
  readonly ends = new Map<string, RememberedEnd>()
  readonly #remembered = new Set<Session>()
  readonly timetable: Timetable
  readonly loopTime: LoopTime
  /** Idle sessions, longest idle first: expiry order and eviction order in one. */
  readonly idle: TimedList
  readonly silence: TimedList
  readonly steps: Steps
  readonly events: Events
  readonly monitor = new Monitor()
  /** Sessions by state. Of `Dormant` ones nothing can be said: they come and go without a change of state. */
  readonly states: Record<LifeState, number> = {
    Dormant: 0,
    Waiting: 0,
    Backoff: 0,
    Opening: 0,
    Ready: 0,
    Stopping: 0,
    Quarantined: 0,
  }
  readonly recorder = new FlightRecorder(this)
  readonly handIn: HandIn
  readonly seats: Seats
  readonly heapWatch: HeapWatch
  readonly opening: Opening
  readonly answers: Answers
  readonly waiters: Waiters
  readonly turns: Turns
  readonly stops: Stops
  readonly hangs: Hangs
  readonly leases: Leases
  readonly closing: Closing
  readonly supervision: Supervision
  readonly breaker: OutageBreaker
  readonly probes: Probes
  readonly recycling: Recycling
  readonly saving: Saving
  readonly draining: Draining
  /** While somebody makes spans. */
  tracing: Tracing | undefined = undefined
  /** While somebody watches. */
  changes: Changes | undefined = undefined
  phase: "accepting" | "draining" | "drained" = "accepting"
  #tasks = 0
  #serials = 0

  constructor(setup: RegistrySetup) {
    const { policy } = setup
    this.name = setup.name
    this.policy = policy
    this.driver = setup.driver
    this.random = setup.random ?? Math.random
    this.time = timeSource(setup.clock)
    this.timetable = new Timetable(
      this.time,
      () => this.steps.commit(),
      (error) => this.defect(error),
    )
    this.idle = this.timetable.keptList("idle", policy.idleTimeout)
    this.silence = this.timetable.keptList("silence", policy.timeouts.silence)
    this.handIn = new HandIn(this)
    this.seats = new Seats(this)
    this.heapWatch = new HeapWatch(this, setup.heap ?? heapShare)
    this.opening = new Opening(this)
    this.answers = new Answers(this)
    this.waiters = new Waiters(this)
    this.turns = new Turns(this)
    this.stops = new Stops(this)
    this.hangs = new Hangs(this)
    this.leases = new Leases(this)
    this.closing = new Closing(this)
    this.supervision = new Supervision(this)
    this.breaker = new OutageBreaker(this)
    this.probes = new Probes(this)
    this.recycling = new Recycling(this)
    this.saving = new Saving(this)
    this.draining = new Draining(this)
    this.events = new Events(this.time)
    this.steps = new Steps(
      (task) => this.turns.begin(task),
      () => {
        this.seats.offer()
        this.draining.check()
      },
      (error) => this.defect(error),
    )
    this.loopTime = new LoopTime(
      this.time,
      Math.min(policy.timeouts.silence, policy.timeouts.lease),
      () => this.hangs.watched > 0 || this.leases.watched > 0 || this.probes.watched > 0,
    )
  }

  nextTask(): number {
    return ++this.#tasks
  }
  nextSerial(): number {
    return ++this.#serials
  }
  /** A monotonic moment as people read it. The wall clock is looked at once a second: events ask for every task. */
  readonly epochOf = (at: number): number => {
    if (at > this.#offsetUntil) {
      const now = this.time.now()
      const offset = this.time.epoch() - now
      // It tells whole milliseconds: what differs by less has not moved, and one moment is to be told alike each time.
      if (Math.abs(offset - this.#offset) > clockStep) this.#offset = offset
      this.#offsetUntil = now + 1000
    }
    return Math.round(this.#offset + at)
  }
  #offset = 0
  #offsetUntil = -Infinity

  /**
   * A mistake inside the engine: counted, told to who listens, and to whom it happened as a refusal. It is never passed for a
   * task's own failure, and keeps no other session from going on.
   */
  defect(error: unknown, session?: Session): SessionRefused {
    this.monitor.defects++
    const ref = session?.ref ?? nowhere
    this.events.warning("WarningRaised", ref, "EngineDefect", { defects: this.monitor.defects })
    if (this.monitor.defects === 1) reportDefect(error)
    return new SessionRefused({
      reason: "Closed",
      message: "A mistake inside Sojourn kept this task from being taken: see `cause`. Please report it.",
      session: ref,
      cause: error,
    })
  }

  /** A step that begins where nobody else could catch a mistake of ours: after a promise, in a timer. */
  guarded(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.defect(error)
    }
    this.steps.commit()
  }

  setState(session: Session, state: LifeState): void {
    if (!mayFollow(session.state, state)) {
      throw new Error(`Sojourn: a session went from ${session.state} to ${state}. Please report this.`)
    }
    this.states[session.state]--
    this.states[state]++
    session.state = state
    this.seats.noteGoing(session)
    this.changed(session)
  }
  /** It was used, or something of it is not as it was. */
  changed(session: Session): void {
    if (this.changes !== undefined && !session.noted) this.changes.note(session)
  }
  watchChanges(): ChangeList {
    return (this.changes ??= new Changes(this)).add()
  }

  longestIdle(): Session | undefined {
    const first = this.idle.first
    return first === undefined ? undefined : (first as Session)
  }
  find(key: ResolvedKey): Session | undefined {
    return this.sessions.get(key.canonical)
  }
  findOrMake(key: ResolvedKey): Session {
    let session = this.sessions.get(key.canonical)
    if (session === undefined) this.sessions.set(key.canonical, (session = new Session(this, key)))
    return session
  }

  /** Nothing runs under this key any more: kept while its failures still count, otherwise forgotten at once. */
  tidy(session: Session): void {
    if ((session.state !== "Dormant" && session.state !== "Quarantined") || session.waiting > 0) return
    // Nothing comes back to a registry that has drained: what it remembers would only keep it.
    if (this.phase === "drained") return this.forget(session)
    const now = this.time.now()
    const cold = session.cold
    const counts =
      cold === undefined
        ? 0
        : Math.max(
            // Failed opens are in a row as long as losses are: who comes back after the delay begins no new row.
            cold.attempt > 0 ? cold.retryAt + this.policy.restart.within : cold.retryAt,
            cold.until > 0 ? cold.until + this.policy.restart.within : 0,
            (cold.failures.at(-1) ?? -Infinity) + this.policy.restart.within,
          )
    if (counts <= now) return this.forget(session)
    if (session.list !== undefined) session.list.remove(session)
    this.timetable.list("forget", counts - now).add(session, now)
    this.#remembered.delete(session)
    this.#remembered.add(session)
    if (this.#remembered.size > rememberedSessions) {
      for (const oldest of this.#remembered) return this.forget(oldest)
    }
  }
  forget(session: Session): void {
    if (session.list !== undefined) session.list.remove(session)
    this.#remembered.delete(session)
    if (this.sessions.get(session.key) !== session) return
    this.sessions.delete(session.key)
    if (session.state === "Quarantined") this.states.Quarantined--
  }
  /** It is used again. */
  recall(session: Session): void {
    if (session.list !== undefined) session.list.remove(session)
    this.#remembered.delete(session)
  }

  rememberEnd(generation: Generation, reason: CloseReason, leaked: boolean): void {
    const { key } = generation.session
    const end = this.recorder.endOf(generation, reason, leaked)
    this.ends.delete(key)
    this.ends.set(key, end)
    if (this.ends.size <= rememberedEnds) return
    for (const oldest of this.ends.keys()) {
      this.ends.delete(oldest)
      return
    }
  }
}
