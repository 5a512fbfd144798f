import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { storedWorlds, type StoredWorld } from "../support/stored.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const loses = (thing: Thing): void => thing.opening.broken("dead")

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

  test("L24, L25: close and end forget; what is used at once afterwards waits for that, and is given nothing", async () => {
    for (const end of ["close", "task.close", "end"] as const) {
      const w = await saved()
      const { clock, restored, sessions, store, use } = w
      store.takes.remove = 400
      use()
      await clock.advance(0)
      if (end === "close") void sessions.close("a")
      else await sessions.run("a", (thing, task) => (end === "end" ? thing.opening.end() : task.close()))
      const next = use()
      await clock.advance(399)
      expect([end, next.outcome, store.lines.includes("remove a")]).toEqual([end, "pending", false])
      await clock.advance(1)
      expect([end, next.outcome]).toEqual([end, "value 3"])
      expect(restored).toEqual([undefined, [1], undefined])
      expect(store.lines.slice(2)).toEqual(["load a", "remove a", "load a"])
      await expectNothingLeft(w)
    }
  })

  test("L24, L25: a close that is told has removed what was saved, with a session and without one", async () => {
    const { clock, sessions, store, use } = await saved({ restart: { times: 1 } })
    store.takes.remove = 100
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(99)
    expect(closed.outcome).toBe("pending")
    await clock.advance(1)
    expect([closed.outcome, store.records.size]).toEqual(["value undefined", 0])
    use()
    await clock.advance(0)
    const again = watch(clock, sessions.close("a"))
    await clock.advance(100)
    expect(again.value).toMatchObject({ reason: "Requested", leaked: false })
    expect(store.lines.at(-1)).toBe("remove a")
  })

  test("L24, L25: the same for a key of which only failures are remembered, and for a quarantined one", async () => {
    for (const times of [1, 0]) {
      const { clock, sessions, store, use } = await saved({ restart: { times } })
      use()
      await clock.advance(0)
      await sessions.run("a", loses)
      await clock.advance(0)
      expect(sessions.explain("a").state).toBe(times === 0 ? "Quarantined" : "Closed")
      expect(store.records.size).toBe(1)
      store.takes.remove = 100
      const closed = watch(clock, sessions.close("a"))
      await clock.advance(100)
      expect([closed.outcome, store.records.size, closed.at]).toEqual(["value undefined", 0, clock.now])
    }
  })

  test("L24, L25: a close while it opens, waits for a seat, or backs off forgets too", async () => {
    const held = gate()
    const { clock, restored, sessions, store, use } = await saved(
      { maxSessions: 1, restart: { delay: 1000 } },
      (opening) => {
        opening.save(() => [opening.serial])
        if (opening.serial === 2) return held.promise
        if (opening.serial === 3) throw new Error("no database")
        return undefined
      },
    )
    const record = store.records.get("a")
    const again = (): void => void (record && store.records.set("a", record))
    const opening = use()
    await clock.advance(0)
    void sessions.close("a")
    held.open()
    await clock.advance(0)
    expect([opening.outcome, store.records.size]).toEqual(["SessionRefused Closed", 0])
    again()
    use()
    await clock.advance(0)
    const backsOff = use()
    expect(sessions.explain("a").state).toBe("Backoff")
    void sessions.close("a")
    await clock.advance(0)
    expect([backsOff.outcome, store.records.size]).toEqual(["SessionRefused Closed", 0])
    again()
    const busy = gate()
    watch(
      clock,
      sessions.run("busy", () => busy.promise),
    )
    await clock.advance(0)
    const waits = use()
    expect(sessions.explain("a").state).toBe("Waiting")
    void sessions.close("a")
    await clock.advance(0)
    expect([waits.outcome, store.records.size]).toEqual(["SessionRefused Closed", 0])
    busy.open()
    await clock.advance(2000)
    const last = use()
    await clock.advance(0)
    expect(last.outcome).toContain("value")
    expect(restored.at(-1)).toBeUndefined()
  })

  test("L25: a removal that fails is noted where there is somebody to note it for, and closes all the same", async () => {
    for (const takes of [0, 50]) {
      const w = await saved()
      const { clock, sessions, store, use } = w
      const broken = new Error("read-only")
      store.takes.remove = takes
      store.fails.remove = broken
      use()
      await clock.advance(0)
      const closed = watch(clock, sessions.close("a"))
      await clock.advance(takes)
      expect(closed.value).toMatchObject({ reason: "Requested", leaked: false, errors: [] })
      expect(sessions.explain("a").errors).toMatchObject([{ in: "save", error: broken }])
      // Without a session there is nobody to tell: it resolves all the same.
      const unseen = watch(clock, sessions.close("never seen"))
      await clock.advance(takes)
      expect(unseen.outcome).toBe("value undefined")
      await expectNothingLeft(w)
    }
  })

  test("L25, L13: a removal that hangs does not hold the close for ever, and the next opening waits within its deadline", async () => {
    const { clock, restored, sessions, store, use } = await saved({ timeouts: { close: 900, open: 1000 } })
    store.takes.remove = Infinity
    use()
    await clock.advance(0)
    const closed = watch(clock, sessions.close("a"))
    const next = use()
    await clock.advance(900)
    expect(closed.value).toMatchObject({ reason: "Requested", leaked: true })
    await clock.advance(1000)
    expect(next.outcome).toBe("SessionOpenFailed TimedOut")
    // It was never given what it should have forgotten.
    expect(restored).toEqual([undefined, [1]])
  })

  test("L14, L25: a drain forgets nothing", async () => {
    const { clock, sessions, store, use } = await saved()
    use()
    await clock.advance(0)
    await sessions.drain()
    expect(store.records.get("a")?.state).toEqual([1, 2])
    expect(store.lines.some((line) => line.startsWith("remove"))).toBe(false)
  })
})
