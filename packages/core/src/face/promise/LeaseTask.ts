/** A request for a lease: waits for the generation alone, and is answered with the lease. */
import type { TaskOutcome } from "../../observe/Explanation.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { Lease } from "../../task/Leases.ts"
import { Task } from "../../task/Task.ts"

export class LeaseTask extends Task {
  readonly #granted: (lease: Lease) => void
  readonly #refused: (error: unknown) => void
  override readonly lent: unknown
  constructor(
    registry: Registry,
    name: string,
    granted: (lease: Lease) => void,
    refused: (error: unknown) => void,
    lent?: unknown,
  ) {
    super(registry, "lease", name, true)
    this.#granted = granted
    this.#refused = refused
    this.lent = lent
  }
  begin(): void {}
  stop(): void {}
  deliver(outcome: TaskOutcome, value: unknown): void {
    if (outcome === "succeeded") this.#granted(value as Lease)
    else this.#refused(value)
  }
}
