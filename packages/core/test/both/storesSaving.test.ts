import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { storedWorlds } from "../support/stored.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const loses = (thing: Thing): void => thing.opening.broken("dead")

describe.each(faces)("$face", ({ world }) => {
  const make = storedWorlds(world)

  test.each(["Idle", "Evicted", "Restarted", "Recycled", "Drained"] as const)(
    "L25: at %s the state is saved, before anything is released",
    async (reason) => {
      const w = make({
        ...(reason === "Idle" ? { idleTimeout: 1000 } : undefined),
        ...(reason === "Evicted" ? { maxSessions: 1 } : undefined),
        ...(reason === "Recycled" ? { maxAge: 1000 } : undefined),
      })
      const { clock, ledger, sessions, store, story, use } = w
      store.takes.save = 50
      use()
      await clock.advance(1000)
      if (reason === "Evicted") use("b")
      if (reason === "Restarted") void sessions.restart("a")
      if (reason === "Drained") void sessions.drain()
      await clock.advance(49)
      expect([ledger.live, store.lines.includes("save a on nothing")]).toEqual([1, false])
      await clock.advance(1)
      expect(ledger.lines.slice(0, 2)).toEqual(["open a#1", "release a#1"])
      expect(story()).toContain(`Closed ${reason}`)
      expect(store.records.get("a")).toMatchObject({ state: [1], version: "1" })
    },
  )

  test.each([
    ["Broken", { restart: { delay: 0 } }, loses],
    ["RestartLimit", { restart: { times: 0 } }, loses],
    ["Broken", { restart: false as const }, loses],
  ])(
    "L25: a lost generation (%s) saves nothing, and the last good state stays",
    async (reason, policy, lose) => {
      const { clock, sessions, store, story, use } = make(policy)
      use()
      await clock.advance(0)
      await sessions.restart("a")
      use()
      await clock.advance(0)
      await sessions.run("a", lose)
      await clock.advance(0)
      expect(story()).toContain(`Closed ${reason}`)
      expect(store.lines).toEqual(["load a", "save a on nothing", "load a"])
      expect(store.records.get("a")?.state).toEqual([1])
    },
  )

  test("L25, L13: an unresponsive one saves nothing, nor does one with an abandoned turn that is restarted or drained", async () => {
    const { clock, sessions, store, story } = make({
      concurrency: 2,
      timeouts: { silence: 1000, grace: 100, close: 300 },
      restart: { delay: 0 },
    })
    const hang = (key: string): void =>
      void watch(
        clock,
        sessions.run(key, () => gate().promise),
      )
    hang("unresponsive")
    hang("unresponsive")
    hang("half")
    await clock.advance(1100)
    expect(story()).toContain("Closing Unresponsive")
    void sessions.restart("half")
    await clock.advance(400)
    hang("drained")
    await clock.advance(0)
    void sessions.drain({ finishWithin: 0 })
    await clock.advance(1000)
    expect(store.lines.filter((line) => line.startsWith("save"))).toEqual([])
  })

  test("L25: another writer came first: its own state is dropped and that is told; what is stored stays", async () => {
    const w = make({ idleTimeout: 1000 })
    const { clock, restored, sessions, store, use, warnings } = w
    use()
    await clock.advance(500)
    store.records.set("a", { state: "another's", version: "theirs" })
    await clock.advance(500)
    expect(warnings()).toEqual(["WarningRaised SnapshotConflict"])
    expect(w.events.find((event) => event._tag === "WarningRaised")).toMatchObject({
      session: { key: "a", serial: 1 },
    })
    expect(store.lines.at(-1)).toBe("save a on nothing: conflict")
    expect(sessions.explain("a").errors).toEqual([])
    expect(sessions.explain("a").history.map(({ what }) => what)).toContain("SnapshotConflict")
    use()
    await clock.advance(0)
    expect(restored).toEqual([undefined, "another's"])
    await clock.advance(1000)
    // It had read that version, so now it may write.
    expect(store.lines.at(-1)).toBe("save a on theirs")
    expect(warnings()).toHaveLength(1)
  })

  test("L25: removed by another meanwhile: that is a conflict too, and nothing comes back to life", async () => {
    const { clock, sessions, store, use, warnings } = make()
    use()
    await clock.advance(0)
    await sessions.restart("a")
    use()
    await clock.advance(0)
    store.records.delete("a")
    await sessions.restart("a")
    expect(store.records.size).toBe(0)
    expect(warnings()).toEqual(["WarningRaised SnapshotConflict"])
  })

  test.each([
    ["throws", 0],
    ["rejects", 50],
  ])("L25, L4: a save that %s is noted, and the close goes on", async (_, takes) => {
    const w = make()
    const { clock, ledger, sessions, store, use } = w
    const full = new Error("disk full")
    store.takes.save = takes
    store.fails.save = full
    use()
    await clock.advance(0)
    const restarted = watch(clock, sessions.restart("a"))
    await clock.advance(takes)
    expect(restarted.value).toMatchObject({ leaked: false, errors: [] })
    expect(ledger.live).toBe(0)
    expect(sessions.explain("a").errors).toMatchObject([{ in: "save", error: full }])
    expect(String(sessions.explain("a"))).toContain("Last error, in save: disk full")
    await expectNothingLeft(w)
  })

  test("L25, L4: a save that hangs is noted when its third of the close is over, and the release goes on then", async () => {
    const { clock, ledger, sessions, store, use } = make({ timeouts: { close: 900 } })
    store.takes.save = Infinity
    use()
    await clock.advance(0)
    const restarted = watch(clock, sessions.restart("a"))
    await clock.advance(299)
    expect(ledger.live).toBe(1)
    await clock.advance(1)
    expect(ledger.live).toBe(0)
    await clock.advance(600)
    expect(restarted.value).toMatchObject({ leaked: true })
    expect(sessions.explain("a").errors).toMatchObject([{ in: "save" }])
  })

  test("L25: one that was written in time is never noted as late", async () => {
    const { clock, sessions, store, use } = make({ timeouts: { close: 900 } })
    store.takes.save = 100
    use()
    await clock.advance(0)
    void sessions.restart("a")
    const next = use()
    await clock.advance(5000)
    expect([next.outcome, sessions.explain("a").errors]).toEqual(["value 2", []])
  })

  test("L25: a save slower than its third, but not than the close, is written, and nothing has leaked", async () => {
    const { clock, restored, sessions, store, use, warnings } = make({ timeouts: { close: 900 } })
    store.takes.save = 700
    use()
    await clock.advance(0)
    const restarted = watch(clock, sessions.restart("a"))
    const next = use()
    await clock.advance(700)
    expect(restarted.value).toMatchObject({ leaked: false })
    expect(next.outcome).toBe("value 2")
    expect(restored).toEqual([undefined, [1]])
    expect(warnings()).toEqual([])
  })

  test("L21, L25: asked too late, when the generation is gone, it is not written", async () => {
    const asked = gate<string>()
    const { clock, sessions, store, use } = make({ timeouts: { close: 900 } }, (opening) => {
      if (opening.serial === 1) opening.save(() => asked.promise)
    })
    use()
    await clock.advance(0)
    void sessions.restart("a")
    await clock.advance(900)
    asked.open("too late")
    await clock.advance(0)
    expect(store.records.size).toBe(0)
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 2")
  })

  test("L21, L25: a write that is under way when its generation is given up cannot take a later state's place", async () => {
    const { clock, restored, sessions, store, use, warnings } = make({ timeouts: { close: 900 } })
    store.takes.save = 2000
    use()
    await clock.advance(0)
    void sessions.restart("a")
    await clock.advance(900)
    store.takes.save = 0
    use()
    await clock.advance(0)
    await sessions.restart("a")
    expect(store.records.get("a")?.state).toEqual([2])
    await clock.advance(2000)
    expect(store.lines.at(-1)).toBe("save a on nothing: conflict")
    expect(warnings()).toEqual(["WarningRaised SnapshotConflict"])
    use()
    await clock.advance(0)
    expect(restored).toEqual([undefined, undefined, [2]])
  })

  test("L25: the state is asked for when the turns have ended, and once", async () => {
    let asked = 0
    let turns = 0
    const { clock, sessions, store } = make({}, (opening) => {
      opening.save(() => {
        asked++
        return turns
      })
    })
    const turn = (): Promise<void> => sessions.run("a", () => clock.after(100).then(() => void turns++))
    const told = watch(clock, turn())
    await clock.advance(50)
    const restarted = watch(clock, sessions.restart("a", { finishWithin: 1000 }))
    await clock.advance(50)
    expect([told.outcome, restarted.outcome]).toEqual(["value undefined", "value [object Object]"])
    expect([store.records.get("a")?.state, asked]).toEqual([1, 1])
  })
})
