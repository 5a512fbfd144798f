/**
 * A store that keeps to its contract as little as it may: slow, failing, hanging, with torn records, and with a second
 * writer. What it acknowledges it keeps; that much a session may count on.
 */
import type { SessionStore, Stored } from "@sojourn/core"
import type { Random } from "../random.ts"
import type { Tally } from "../faults.ts"
import type { Gates } from "../Gates.ts"
import { pause } from "../time.ts"

const manners = { fine: 65, slow: 10, fails: 9, hangs: 4, other: 12 } as const

export class HostileStore implements SessionStore {
  readonly #records = new Map<string, Stored>()
  readonly #random: Random
  readonly #tally: Tally
  readonly #gates: Gates
  #versions = 0

  constructor(random: Random, tally: Tally, gates: Gates) {
    this.#random = random
    this.#tally = tally
    this.#gates = gates
  }
  async #manner(): Promise<keyof typeof manners> {
    const manner = this.#random.weighted(manners)
    if (manner === "slow") {
      this.#tally.fire("store is slow")
      await pause(this.#random.between(1, 60))
    } else if (manner === "hangs") {
      this.#tally.fire("store hangs for a while")
      await pause(this.#random.between(200, 1500))
    }
    return manner
  }

  /** Asked to load or to save, it may not answer at all: opening and closing have clocks for that. */
  async #silence(): Promise<void> {
    if (!this.#random.chance(0.02) || !this.#gates.take()) return
    this.#tally.fire("store hangs until let go")
    await this.#gates.wait()
  }

  readonly load = async (key: string): Promise<Stored | undefined> => {
    await this.#silence()
    const manner = await this.#manner()
    if (manner === "fails") {
      this.#tally.fire("store cannot load")
      throw new Error("the store cannot load")
    }
    const record = this.#records.get(key)
    if (manner !== "other" || record === undefined) return structuredClone(record)
    this.#tally.fire("store gives a torn record")
    return { state: undefined, version: record.version, unreadable: "Corrupt" }
  }
  readonly save = async (
    key: string,
    state: unknown,
    version: string | undefined,
  ): Promise<string | undefined> => {
    const copy: unknown = structuredClone(state)
    await this.#silence()
    const manner = await this.#manner()
    if (manner === "fails") {
      this.#tally.fire("store cannot save")
      throw new Error("the store cannot save")
    }
    const current = this.#records.get(key)
    if (manner === "other" && current !== undefined) {
      this.#tally.fire("store was written by another")
      this.#records.set(key, { ...current, version: this.#next() })
    }
    if (this.#records.get(key)?.version !== version) return undefined
    const next = this.#next()
    this.#records.set(key, { state: copy, version: next })
    return next
  }
  readonly remove = async (key: string): Promise<void> => {
    if ((await this.#manner()) === "fails") {
      this.#tally.fire("store cannot forget")
      throw new Error("the store cannot forget")
    }
    this.#records.delete(key)
  }
  readonly setAside = async (key: string, version: string): Promise<void> => {
    await this.#manner()
    if (this.#records.get(key)?.version === version) this.#records.delete(key)
  }
  #next(): string {
    return String(++this.#versions)
  }
}
