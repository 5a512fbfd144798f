/**
 * Is the resource still good (L11)? Asked after a task failed with its own error, before a turn when nothing has proved its
 * health for a while, and on an interval; only while no turn runs, and never as a use: a probed session still becomes idle.
 * As with HikariCP's connection test, what has just served well is not asked again.
 */
import { runClean } from "../context.ts"
import type { ResolvedProbe } from "../options.ts"
import type { Trace } from "../observe/Tracing.ts"
import type { Registry } from "../registry/Registry.ts"
import type { ProbeContext } from "../Sessions.ts"
import { Frame } from "../task/Frame.ts"
import { Timed } from "../time/Timetable.ts"
import type { Generation } from "./Generation.ts"

type Why = ProbeContext["why"]
type Check = (context: ProbeContext) => unknown

/** One question under way. */
interface Asked {
  readonly controller: AbortController
  readonly frame: Frame
  startedAt: number
  stallMark: number
  deadline: Timed | undefined
  readonly trace: Trace | undefined
}

/** What a generation keeps of its probe; in the timetable, when it is asked on an interval. */
export class Probe extends Timed {
  readonly generation: Generation
  check: Check
  policy: ResolvedProbe
  /** Monotonic: when the resource last proved its health. */
  trustedAt: number
  /** A task has failed with it since then. */
  doubt: { readonly error: unknown } | undefined = undefined
  /** Until then new turns wait, so that those that run end and it can be asked. */
  holdUntil = 0
  asked: Asked | undefined = undefined
  /** Its health has been proved in this very step. */
  answered = false

  constructor(generation: Generation, check: Check, policy: ResolvedProbe, now: number) {
    super()
    this.generation = generation
    this.check = check
    this.policy = policy
    this.trustedAt = now
  }
  due(now: number): void {
    this.generation.session.registry.probes.intervalDue(this, now)
  }
}

const isStale = ({ policy, trustedAt }: Probe, now: number): boolean =>
  policy.trustFor === 0 || now - trustedAt > policy.trustFor

export class Probes {
  readonly #registry: Registry
  /** Probes under way. */
  watched = 0
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Given by the resource; the last one counts. */
  set(generation: Generation, check: Check, policy: ResolvedProbe): void {
    const cold = generation.more
    if (cold.probe === undefined) cold.probe = new Probe(generation, check, policy, this.#registry.time.now())
    else {
      // One that is under way still counts: its answer is as good as the new one's would be.
      cold.probe.check = check
      cold.probe.policy = policy
    }
    if (generation.phase === "live") this.begin(generation)
  }
  /** Ready: that it could be opened is a proof of health. */
  begin(generation: Generation): void {
    const probe = generation.cold?.probe
    if (probe !== undefined) this.trust(probe, this.#registry.time.now())
  }
  /** Starts whoever waited for that proof: also where nothing is trusted for any time. */
  pump(generation: Generation, now: number): void {
    const probe = generation.cold?.probe
    if (probe !== undefined) probe.answered = true
    this.#registry.turns.pump(generation.session, now)
    if (probe !== undefined) probe.answered = false
  }
  /** A turn ended well, or a probe did. */
  trust(probe: Probe, now: number): void {
    probe.trustedAt = now
    probe.doubt = undefined
    if (probe.list !== undefined) probe.list.remove(probe)
    const { every } = probe.policy
    if (every !== Infinity && probe.generation.phase === "live")
      this.#registry.timetable.list("recycle", every).add(probe, now)
  }
  /** A task failed with its own error: perhaps the resource is to blame. */
  doubt(probe: Probe, error: unknown, now: number): void {
    if (probe.asked !== undefined || probe.doubt !== undefined) return
    probe.doubt = { error }
    const { generation, policy } = probe
    if (generation.slotsTaken === 0) return
    // Others run, and it is never asked beside a turn. They get as long as an answer may take; the session must not stand still
    // for one long stream.
    probe.holdUntil = now + policy.timeout
    this.#registry.timetable.at("probe", policy.timeout, () => {
      if (generation.phase === "live" && probe.doubt !== undefined)
        this.#registry.turns.pump(generation.session)
    })
  }

  /** Asks if there is reason to; `wanted`: somebody is about to use the resource. */
  look(generation: Generation, probe: Probe, now: number, wanted: boolean): void {
    if (probe.asked !== undefined || generation.slotsTaken > 0) return
    if (probe.doubt !== undefined) this.#ask(probe, "AfterError", now, probe.doubt.error)
    else if (wanted && !probe.answered && isStale(probe, now)) this.#ask(probe, "BeforeTurn", now, undefined)
  }
  /** Starts no turn now. */
  holds(generation: Generation, probe: Probe, now: number): boolean {
    if (probe.asked !== undefined) return true
    return probe.doubt !== undefined && generation.slotsTaken > 0 && now < probe.holdUntil
  }
  intervalDue(probe: Probe, now: number): void {
    const { generation } = probe
    if (generation.phase !== "live") return
    const busy = generation.slotsTaken > 0 || generation.cold?.barrier !== undefined
    if (busy || probe.asked !== undefined)
      this.#registry.timetable.list("recycle", probe.policy.every).add(probe, now)
    else this.#ask(probe, "Interval", now, undefined)
  }

  #ask(probe: Probe, why: Why, now: number, error: unknown): void {
    const registry = this.#registry
    const { generation } = probe
    const asked: Asked = {
      controller: new AbortController(),
      frame: new Frame("probe", generation.session, undefined, undefined),
      startedAt: now,
      stallMark: registry.loopTime.mark(now),
      deadline: undefined,
      trace: registry.tracing?.probe(generation, why),
    }
    asked.frame.trace = asked.trace
    probe.asked = asked
    probe.doubt = undefined
    if (probe.list !== undefined) probe.list.remove(probe)
    generation.more.probing++
    this.#watch(probe, asked, probe.policy.timeout, now)
    const answer = (good: boolean, cause: unknown): void => this.#answered(probe, asked, good, cause)
    const answered = (value: unknown): void => answer(value !== false, new Error("The probe gave false."))
    const threw = (thrown: unknown): void => answer(false, thrown)
    registry.steps.after(() => {
      runClean(() => {
        try {
          const result = probe.check({ why, error, signal: asked.controller.signal })
          if (typeof result === "object" && result !== null && "then" in result)
            Promise.resolve(result).then(answered, threw)
          else answered(result)
        } catch (thrown) {
          threw(thrown)
        }
      }, asked.frame)
    })
  }
  #watch(probe: Probe, asked: Asked, limit: number, now: number): void {
    const registry = this.#registry
    this.watched++
    registry.loopTime.watch(now, limit)
    asked.deadline = registry.timetable.at("probe", limit, (due) => {
      this.watched--
      asked.deadline = undefined
      this.#overdue(probe, asked, due)
    })
    if (asked.deadline === undefined) this.watched--
  }
  #unwatch(asked: Asked): void {
    if (asked.deadline === undefined) return
    this.watched--
    this.#registry.timetable.drop(asked.deadline)
    asked.deadline = undefined
  }
  #overdue(probe: Probe, asked: Asked, now: number): void {
    const { loopTime } = this.#registry
    loopTime.catchUp(now)
    const silent = now - asked.startedAt - (loopTime.stalled - asked.stallMark)
    const { timeout } = probe.policy
    if (silent < timeout) return this.#watch(probe, asked, timeout - silent, now)
    this.#bad(probe, asked, new Error(`The probe gave no answer within ${timeout} ms.`))
  }

  /** It has really ended, wanted or not. */
  #answered(probe: Probe, asked: Asked, good: boolean, cause: unknown): void {
    this.#registry.guarded(() => this.#take(probe, asked, good, cause))
  }
  #take(probe: Probe, asked: Asked, good: boolean, cause: unknown): void {
    const registry = this.#registry
    const { generation } = probe
    generation.more.probing--
    asked.frame.end()
    this.#unwatch(asked)
    if (probe.asked === asked && generation.phase === "live") {
      if (good) {
        const now = registry.time.now()
        registry.monitor.probes.good++
        asked.trace?.end("succeeded")
        probe.asked = undefined
        this.trust(probe, now)
        this.pump(generation, now)
      } else this.#bad(probe, asked, cause)
    }
    registry.closing.workEnded(generation)
  }
  #bad(probe: Probe, asked: Asked, cause: unknown): void {
    const registry = this.#registry
    if (probe.asked !== asked || probe.generation.phase !== "live") return
    registry.monitor.probes.bad++
    asked.trace?.end("failed", cause)
    registry.supervision.lose(probe.generation, "Broken", cause, "probe")
    registry.steps.commit()
  }

  /** Its generation ends: the answer is not wanted any more. */
  stop(generation: Generation): void {
    const probe = generation.cold?.probe
    if (probe === undefined) return
    if (probe.list !== undefined) probe.list.remove(probe)
    const { asked } = probe
    if (asked === undefined) return
    this.#unwatch(asked)
    asked.trace?.end("unwanted")
    this.#registry.stops.cascade(asked.frame)
    this.#registry.steps.after(() =>
      runClean(() => asked.controller.abort(new Error("The probe is not wanted any more.")), asked.frame),
    )
  }
}
