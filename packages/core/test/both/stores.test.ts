import { describe, expect, test } from "vitest"
import { memoryStore } from "../../src/store/memoryStore.ts"
import { faces } from "../support/faces.ts"
import { storedWorlds } from "../support/stored.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = storedWorlds(world)

  test.each([
    ["at once", 0],
    ["with a promise", 30],
  ])(
    "L25: with a store that answers %s: loaded before the opening, saved on the version that was read",
    async (_, takes) => {
      const w = make({ idleTimeout: 1000 })
      const { clock, restored, store, use, warnings } = w
      Object.assign(store.takes, { load: takes, save: takes, remove: takes })
      for (let life = 0; life < 3; life++) {
        const call = use()
        await clock.advance(takes)
        expect(call.outcome).toBe(`value ${life + 1}`)
        await clock.advance(1000 + takes)
      }
      expect(restored).toEqual([undefined, [1], [1, 2]])
      expect(store.lines).toEqual([
        "load a",
        "save a on nothing",
        "load a",
        "save a on 1",
        "load a",
        "save a on 2",
      ])
      expect(warnings()).toEqual([])
      await expectNothingLeft(w)
    },
  )

  test("L25: the store that is there by default behaves as one that is given", async () => {
    for (const store of [undefined, memoryStore()]) {
      const { clock, restored, use } = make({ store, idleTimeout: 1000 })
      for (let life = 0; life < 3; life++) {
        use()
        await clock.advance(1000)
      }
      expect(restored).toEqual([undefined, [1], [1, 2]])
    }
  })

  test("L25: a session that saves nothing never writes, but is loaded and removed all the same", async () => {
    const { clock, sessions, store, use } = make({ idleTimeout: 1000 }, () => {})
    use()
    await clock.advance(1000)
    use()
    await clock.advance(0)
    await sessions.close("a")
    expect(store.lines).toEqual(["load a", "load a", "remove a"])
  })

  test("L25: what begins to be saved after the opening is written on the version that the opening read", async () => {
    const { clock, restored, sessions, store, use, warnings } = make({ idleTimeout: 1000 }, (opening) => {
      if (opening.serial === 1) opening.save(() => "first")
    })
    use()
    await clock.advance(1000)
    await sessions.run("a", (thing) => thing.opening.save(() => "second"))
    await clock.advance(1000)
    use()
    await clock.advance(0)
    expect(restored).toEqual([undefined, "first", "second"])
    expect(store.lines).toEqual(["load a", "save a on nothing", "load a", "save a on 1", "load a"])
    expect(warnings()).toEqual([])
  })

  test("L25, L3: two keys are two records, and a key's canonical text is its name", async () => {
    const { clock, sessions, store } = make({ idleTimeout: 1000 })
    const keys = ["a~b", { owner: "a", id: "b" }, { owner: "a~b" }, "../etc"]
    for (const key of keys) await sessions.run(key, () => {})
    await clock.advance(1000)
    const names = keys.map((key) => sessions.explain(key).session.key)
    expect([...store.records.keys()].toSorted()).toEqual(names.toSorted())
    expect(new Set(names).size).toBe(4)
  })

  test("L25, L1: a store that takes its time: all who wait share one load, and the open deadline covers it", async () => {
    const { clock, restored, store, use } = make({ timeouts: { open: 1000 } })
    store.takes.load = 400
    const calls = [use(), use()]
    await clock.advance(399)
    expect([restored.length, calls[0]?.outcome]).toEqual([0, "pending"])
    const joins = use()
    await clock.advance(1)
    expect([...calls, joins].map(({ outcome }) => outcome)).toEqual(["value 1", "value 1", "value 1"])
    expect(store.lines).toEqual(["load a"])

    store.takes.load = 5000
    const late = use("b")
    await clock.advance(1000)
    expect(late).toMatchObject({ outcome: "SessionOpenFailed TimedOut", at: 1400 })
    // The load arrives, and finds that nobody wants it.
    await clock.advance(10_000)
    expect(restored).toHaveLength(1)
  })

  test("L1: given up while the store is asked: the user's open is never called, and the next opening waits for that", async () => {
    const w = make()
    const { clock, ledger, restored, sessions, store, story, use } = w
    store.takes.load = 500
    const leaves = watch(
      clock,
      sessions.run("a", () => {}, { timeout: 100 }),
    )
    await clock.advance(100)
    expect(leaves.outcome).toBe("TaskStopped Timeout")
    store.takes.load = 0
    const next = use()
    await clock.advance(399)
    expect([next.outcome, restored.length]).toEqual(["pending", 0])
    await clock.advance(1)
    expect(next.outcome).toBe("value 2")
    expect([restored.length, ledger.opened]).toEqual([1, 1])
    expect(story().slice(0, 2)).toEqual(["Opening", "Closed OpenCancelled"])
    await expectNothingLeft(w)
  })

  test("L25, L10: a load that fails fails the opening: told with its own error, remembered, and backed off", async () => {
    for (const takes of [0, 50]) {
      const w = make({ restart: { delay: 1000 } })
      const { clock, restored, sessions, store, use } = w
      store.takes.load = takes
      const broken = new Error("disk on fire")
      store.fails.load = broken
      // One that fails at once has failed before a second caller comes.
      const calls = takes === 0 ? [use()] : [use(), use()]
      await clock.advance(takes)
      for (const call of calls) {
        expect(call.outcome).toBe("SessionOpenFailed Failed")
        expect(fieldOf(call, "cause")).toBe(broken)
        expect(fieldOf(call, "retryAfter")).toBe(750)
      }
      expect(sessions.explain("a").errors).toMatchObject([{ in: "open", error: broken }])
      delete store.fails.load
      const next = use()
      await clock.advance(749)
      expect([next.outcome, restored.length]).toEqual(["pending", 0])
      await clock.advance(1 + takes)
      expect([next.outcome, restored.length]).toEqual(["value 2", 1])
      await expectNothingLeft(w)
    }
  })

  test("L13: a load that never answers is abandoned like an opening that hangs; the key goes on", async () => {
    const w = make({ timeouts: { open: 1000, close: 300 } })
    const { clock, sessions, store, use } = w
    store.takes.load = Infinity
    const hangs = use()
    await clock.advance(1000)
    expect(hangs.outcome).toBe("SessionOpenFailed TimedOut")
    store.takes.load = 0
    const next = use()
    await clock.advance(5300)
    expect(next.outcome).toBe("value 2")
    expect(sessions.snapshot().counts.leaked).toBe(1)
  })
})
