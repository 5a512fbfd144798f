/**
 * Replacing a resource that is old or has served often enough: between turns, never under one. Leases delay it, for a while.
 * As with HikariCP's maxLifetime, what is in use is never taken away for its age alone.
 */
import type { Registry } from "../registry/Registry.ts"
import type { Generation } from "./Generation.ts"

/** Milliseconds: how long leases may hold what should be replaced. */
const leasesMayHold = 60_000

export class Recycling {
  readonly #registry: Registry
  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Ready. */
  begin(generation: Generation): void {
    const { policy, timetable } = this.#registry
    if (policy.maxAge === Infinity) return
    generation.more.age = timetable.at("recycle", policy.maxAge, () => this.due(generation))
  }

  due(generation: Generation): void {
    const { timetable } = this.#registry
    const cold = generation.more
    if (generation.phase !== "live" || cold.barrier !== undefined || cold.recycleGrace !== undefined) return
    if ((cold.leases?.size ?? 0) === 0) return this.#retire(generation)
    cold.recycleGrace = timetable.at("recycle", leasesMayHold, () => this.#retire(generation))
  }
  leaseEnded(generation: Generation): void {
    const { cold } = generation
    if (cold?.recycleGrace === undefined || (cold.leases?.size ?? 0) > 0) return
    this.#retire(generation)
  }
  stop(generation: Generation): void {
    const { cold } = generation
    if (cold === undefined) return
    this.#registry.timetable.drop(cold.age)
    this.#registry.timetable.drop(cold.recycleGrace)
  }

  /** Starts nothing new; its leases end with it. */
  #retire(generation: Generation): void {
    const { closing, leases } = this.#registry
    const cold = generation.more
    this.stop(generation)
    cold.recycleGrace = undefined
    if (generation.phase !== "live") return
    this.#registry.recorder.note(generation, "Retiring")
    closing.barrier(generation, "Recycled", "reopen", Infinity)
    for (const lease of cold.leases ?? []) leases.end(lease, "revoked")
  }
}
