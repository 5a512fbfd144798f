import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { storedWorlds, type StoredWorld } from "../support/stored.ts"
import { watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = storedWorlds(world)
  /** A first life has saved. */
  const saved = async (...setup: Parameters<typeof make>): Promise<StoredWorld> => {
    const w = make(...setup)
    w.use()
    await w.clock.advance(0)
    await w.sessions.restart("a")
    expect(w.store.records.get("a")?.state).toEqual([1])
    return w
  }

  test("L25: a save that is under way when a close arrives brings nothing back", async () => {
    for (const [save, remove] of [
      [300, 0],
      [300, 50],
      [300, 600],
      [4000, 50],
    ] as const) {
      const { clock, restored, sessions, store, use } = make({ timeouts: { close: 15_000 } })
      Object.assign(store.takes, { save, remove })
      use()
      await clock.advance(0)
      const restarted = watch(clock, sessions.restart("a"))
      await clock.advance(100)
      const closed = watch(clock, sessions.close("a"))
      const next = use()
      await clock.advance(10_000)
      expect([restarted.outcome, closed.outcome, next.outcome]).toEqual([
        "value [object Object]",
        "value [object Object]",
        "value 2",
      ])
      expect(restored).toEqual([undefined, undefined])
      expect(store.records.size).toBe(0)
    }
  })

  test("L24, L25: a close that arrives while the turns of a restart still end forgets as well", async () => {
    const { clock, restored, sessions, store, use } = await saved()
    watch(
      clock,
      sessions.run("a", () => clock.after(200)),
    )
    await clock.advance(0)
    void sessions.restart("a")
    await clock.advance(100)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(100)
    expect(closed.value).toMatchObject({ leaked: false })
    expect(store.lines.slice(3)).toEqual(["remove a"])
    use()
    await clock.advance(0)
    expect(restored).toEqual([undefined, [1], undefined])
  })

  test("L25: a state that is still being asked for when a close arrives is not written at all", async () => {
    const asked = gate<string>()
    const { clock, sessions, store, use } = make({}, (opening) => opening.save(() => asked.promise))
    use()
    await clock.advance(0)
    void sessions.restart("a")
    await clock.advance(10)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(10)
    asked.open("not wanted")
    await clock.advance(0)
    expect(closed.value).toMatchObject({ leaked: false })
    expect(store.lines).toEqual(["load a", "remove a"])
  })

  test("L25: what was written in vain is taken back, but not what another has written over it", async () => {
    for (const other of [false, true]) {
      const { clock, sessions, store, use } = make()
      Object.assign(store.takes, { save: 300 })
      use()
      await clock.advance(0)
      void sessions.restart("a")
      await clock.advance(100)
      const closed = watch(clock, sessions.close("a"))
      store.takes.load = 100
      await clock.advance(250)
      expect(store.records.has("a")).toBe(true)
      if (other) store.records.set("a", { state: "another's", version: "theirs" })
      await clock.advance(100)
      expect(closed.outcome).toBe("value [object Object]")
      expect(store.records.get("a")?.state).toBe(other ? "another's" : undefined)
    }
  })

  test("L21, L25: what an abandoned generation still removes is its own, never what a later one has saved", async () => {
    const { clock, restored, sessions, store, use } = make({ timeouts: { close: 900 } })
    store.takes.save = 5000
    use()
    await clock.advance(0)
    void sessions.restart("a")
    await clock.advance(10)
    void sessions.close("a")
    await clock.advance(890)
    // Leaked: its write is under way, and it was told to forget. The key goes on.
    store.takes.save = 0
    use()
    await clock.advance(0)
    await sessions.restart("a")
    expect(store.records.get("a")?.state).toEqual([2])
    await clock.advance(5000)
    expect(store.records.get("a")?.state).toEqual([2])
    use()
    await clock.advance(0)
    expect(restored).toEqual([undefined, undefined, [2]])
  })

  test("L25: removals that overlap are all waited for: none takes away what is saved after it", async () => {
    const { clock, restored, sessions, store, use } = await saved()
    store.takes.remove = 500
    void sessions.close("a")
    await clock.advance(10)
    store.takes.remove = 20
    void sessions.close("a")
    await clock.advance(100)
    const next = use()
    await clock.advance(1000)
    expect(next.outcome).toBe("value 2")
    expect(store.lines.slice(2)).toEqual(["remove a", "remove a", "load a"])
    expect(restored).toEqual([undefined, undefined])
  })

  test("L25: also when the later one of them fails", async () => {
    const { clock, restored, sessions, store, use } = await saved()
    store.takes.remove = 500
    void sessions.close("a")
    await clock.advance(10)
    Object.assign(store.takes, { remove: 20 })
    store.fails.remove = new Error("read-only")
    void sessions.close("a")
    await clock.advance(100)
    delete store.fails.remove
    const next = use()
    await clock.advance(1000)
    expect(next.outcome).toBe("value 2")
    expect(store.lines.slice(2)).toEqual(["remove a", "load a"])
    expect(restored).toEqual([undefined, undefined])
  })
})
