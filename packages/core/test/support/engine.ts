/** The engine without a face: its tasks and its driver are the test's own, and each may be the mistake. */
import type { TaskOutcome } from "../../src/observe/Explanation.ts"
import type { SessionEvent } from "../../src/observe/SessionEvent.ts"
import { defaultCall, resolvePolicy } from "../../src/options.ts"
import { Registry, type Driver } from "../../src/registry/Registry.ts"
import type { Generation } from "../../src/session/Generation.ts"
import type { Policy } from "../../src/SessionOptions.ts"
import { Task } from "../../src/task/Task.ts"
import { mistake } from "./mistakes.ts"
import { VirtualClock } from "./VirtualClock.ts"

/** A kind of work whose every method may be the mistake. */
export interface How {
  readonly begin?: (task: Work, generation: Generation) => void
  readonly stop?: () => void
  readonly deliver?: (outcome: TaskOutcome, value: unknown) => void
}
export class Work extends Task {
  readonly #how: How
  told: TaskOutcome | undefined
  value: unknown
  began = 0
  constructor(registry: Registry, how: How = {}) {
    super(registry, "turn", "work", false)
    this.#how = how
  }
  begin(generation: Generation): void {
    this.began++
    if (this.#how.begin === undefined) this.ends()
    else this.#how.begin(this, generation)
  }
  ends(value: unknown = "done"): void {
    this.registry.turns.ended(this, true, value)
  }
  stop(): void {
    if (this.#how.stop === undefined) this.ends()
    else this.#how.stop()
  }
  deliver(outcome: TaskOutcome, value: unknown): void {
    this.told = outcome
    this.value = value
    this.#how.deliver?.(outcome, value)
  }
}
export const wrong = (): never => {
  throw mistake
}
export const nothing = (): void => {}

export const engine = (policy: Policy = {}, driver: Partial<Driver> = {}) => {
  const clock = new VirtualClock()
  const resolved = resolvePolicy(policy, [])
  const opens: Driver["open"] = (generation) =>
    generation.session.registry.opening.settled(generation, true, "resource")
  const registry = new Registry({
    name: "defects",
    policy: resolved,
    driver: { open: opens, abort: nothing, ...driver },
    clock,
    random: () => 0.5,
  })
  const events: Array<SessionEvent> = []
  registry.events.subscribe((event) => events.push(event))
  const run = (key: string, how?: How, options: Partial<ReturnType<typeof defaultCall>> = {}): Work => {
    const work = new Work(registry, how)
    registry.handIn.take(work, key, { ...defaultCall(resolved), ...options })
    return work
  }
  const defects = (): ReadonlyArray<SessionEvent> =>
    events.filter((event) => event._tag === "WarningRaised" && event.warning === "EngineDefect")
  const drained = async (): Promise<boolean> => {
    let over = false
    registry.draining.begin(0, () => (over = true))
    await clock.advance(60_000)
    return over
  }
  return { clock, registry, run, defects, drained }
}
export type Engine = ReturnType<typeof engine>
