import { describe, expect, test } from "vitest"
import type { SessionStore, Stored } from "../../src/store/SessionStore.ts"
import { faces, type Face } from "../support/faces.ts"
import { gate, type Gate } from "../support/ledger.ts"
import { settle, VirtualClock } from "../support/VirtualClock.ts"

/** All orders of two lists that keep each list's own. */
const interleavings = (left: number, right: number): ReadonlyArray<string> => {
  if (left === 0 && right === 0) return [""]
  return [
    ...(left === 0 ? [] : interleavings(left - 1, right).map((rest) => `A${rest}`)),
    ...(right === 0 ? [] : interleavings(left, right - 1).map((rest) => `B${rest}`)),
  ]
}

/** One store that two processes write to: what they ask takes effect when the schedule says so. */
class Shared {
  record: Stored | undefined = undefined
  /** States that a writer was told are stored. */
  readonly acknowledged: Array<string> = []
  #versions = 0
  client(): { readonly store: SessionStore; readonly waiting: Array<Gate> } {
    const waiting: Array<Gate> = []
    const turn = async (): Promise<void> => {
      const own = gate()
      waiting.push(own)
      await own.promise
    }
    const store: SessionStore = {
      load: async () => {
        await turn()
        return this.record
      },
      save: async (_, state, version) => {
        await turn()
        if (this.record?.version !== version) return undefined
        this.record = { state, version: String(++this.#versions) }
        this.acknowledged.push(...(state as ReadonlyArray<string>).slice(-1))
        return this.record.version
      },
      remove: async () => {
        await turn()
        this.record = undefined
      },
    }
    return { store, waiting }
  }
}

/** One registry: each life adds its own name to what it was given. Its steps: use, load, restart, save; again and again. */
const writer = (world: Face["world"], shared: Shared, name: string) => {
  const { store, waiting } = shared.client()
  let lives = 0
  const w = world(
    { store },
    ({ restored, save }) => {
      const mine = `${name}${++lives}`
      save(() => [...((restored ?? []) as ReadonlyArray<string>), mine])
    },
    new VirtualClock(),
  )
  let step = 0
  const next = async (): Promise<void> => {
    switch (step++ % 4) {
      case 0:
        void w.sessions.run("a", () => {})
        break
      case 2:
        void w.sessions.restart("a")
        break
      default:
        expect(waiting).toHaveLength(1)
        waiting.shift()?.open()
    }
    await settle()
  }
  return { next, w }
}

describe.each(faces)("$face", ({ world }) => {
  test.each([
    [4, 4, 70],
    [8, 4, 495],
  ])(
    "L25, L3: two registries, one store, one key, %d and %d steps: in all %d orders no acknowledged state is lost",
    async (left, right, orders) => {
      const all = interleavings(left, right)
      expect(all).toHaveLength(orders)
      let conflicts = 0
      for (const order of all) {
        const shared = new Shared()
        const writers = { A: writer(world, shared, "A"), B: writer(world, shared, "B") }
        for (const who of order) await writers[who as "A" | "B"].next()
        // Each acknowledged state is still there, in the order of the acknowledgements.
        expect(`${order}: ${String(shared.record?.state)}`).toBe(`${order}: ${shared.acknowledged.join(",")}`)
        const warned = [writers.A, writers.B].flatMap(({ w }) =>
          w.events.flatMap((event) => (event._tag === "WarningRaised" ? [event.warning] : [])),
        )
        // Every life was acknowledged, or was told that another came first.
        expect(shared.acknowledged.length + warned.length).toBe((left + right) / 4)
        expect(new Set([...warned, "SnapshotConflict"]).size).toBe(1)
        conflicts += warned.length
      }
      // There are such orders, and others.
      expect(conflicts).toBeGreaterThan(0)
      expect(conflicts).toBeLessThan((all.length * (left + right)) / 4)
    },
    60_000,
  )
})
