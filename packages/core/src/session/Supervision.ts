/**
 * What loses a generation, and what then (L11): rebuilt on demand, a key that loses too many in a short time is left alone
 * for a while.
 */
import { currentFrame } from "../context.ts"
import { brief } from "../observe/brief.ts"
import type { Explanation } from "../observe/Explanation.ts"
import type { Registry } from "../registry/Registry.ts"
import type { Task } from "../task/Task.ts"
import type { Generation } from "./Generation.ts"
import { afterLoss, quarantineFor } from "./restartPolicy.ts"
import type { Session } from "./Session.ts"

const keptErrors = 8

/** Said inside one of its own turns. */
const turnOf = (generation: Generation): Task | undefined => {
  const inside = currentFrame()?.task
  return inside?.generation === generation ? inside : undefined
}

export class Supervision {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** The resource says it can no longer be used. `by`: the task that found out keeps its own outcome. */
  broken(generation: Generation, cause: unknown, by: Task | undefined = turnOf(generation)): void {
    if (generation.phase === "opening") generation.more.lostEarly ??= { cause }
    // From an older generation, or said again: fenced by identity (L21).
    else if (generation.phase === "live")
      this.lose(generation, "Broken", cause, by === undefined ? "resource" : "task", by)
    this.#registry.steps.commit()
  }

  /** The resource is done: no failure, nothing new starts on it. */
  end(generation: Generation): void {
    const { closing, steps } = this.#registry
    if (generation.phase === "opening") {
      generation.more.lostEarly ??= { cause: new Error("The resource ended while it was being opened.") }
    } else if (generation.phase === "live") closing.barrier(generation, "Ended", "reopen", Infinity)
    steps.commit()
  }

  /** `found`: who noticed; `by`: a task that found out itself keeps its own outcome. */
  lose(
    generation: Generation,
    reason: "Broken" | "Unresponsive",
    cause: unknown,
    found: "resource" | "task" | "probe" | "watchdog",
    by?: Task,
  ): void {
    const registry = this.#registry
    const { session } = generation
    const { policy } = registry
    registry.monitor.lost++
    const error =
      cause ??
      new Error(reason === "Unresponsive" ? "No turn could be brought to an end." : "Declared broken.")
    registry.recorder.trouble(generation, "Lost", `by ${found}: ${brief(error)}`)
    this.note(session, found === "probe" ? "probe" : "task", error)
    registry.events.lifecycle((stamp) => ({
      _tag: "Lost",
      session: generation.ref,
      cause: error,
      by: found,
      ...stamp,
    }))
    if (!policy.rebuild) return registry.closing.begin(session, reason, "forget", by)
    const cold = session.more
    const now = registry.time.now()
    const loss = afterLoss(policy.restart, {
      failures: cold.failures,
      now,
      trial: cold.trial,
      random: registry.random(),
    })
    cold.failures = loss.failures
    cold.lastError = error
    if (loss.next === "quarantine") return registry.closing.begin(session, reason, "quarantine", by)
    cold.retryAt = now + loss.delay
    registry.closing.begin(session, reason, "reopen", by)
  }

  quarantine(generation: Generation): void {
    const registry = this.#registry
    const { session } = generation
    const cold = session.more
    cold.until = registry.time.now() + quarantineFor(registry.policy.restart, cold.coolDowns)
    cold.coolDowns++
    cold.trial = true
    cold.failures = []
    registry.setState(session, "Quarantined")
    registry.recorder.trouble(generation, "Quarantined", undefined)
    registry.events.lifecycle((stamp) => ({
      _tag: "Quarantined",
      session: session.ref,
      until: registry.epochOf(cold.until),
      ...stamp,
    }))
  }
  /** An operator's restart: a clean slate. */
  lift(session: Session): void {
    const registry = this.#registry
    session.cold = undefined
    registry.setState(session, "Dormant")
    registry.forget(session)
  }

  /** For `explain`: the last few. */
  note(session: Session, where: Explanation["errors"][number]["in"], error: unknown): void {
    const { errors } = session.more
    errors.push({ at: this.#registry.time.epoch(), in: where, error })
    if (errors.length > keptErrors) errors.shift()
  }
}
