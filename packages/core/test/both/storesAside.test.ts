import { describe, expect, test } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import type { SessionStore } from "../../src/store/SessionStore.ts"
import { faces } from "../support/faces.ts"
import { shelf } from "../support/shelf.ts"
import { storedWorlds } from "../support/stored.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = storedWorlds(world)
  const saves = (opening: Opening, given: unknown): void => opening.save(() => [given, opening.serial])
  /** Openings given something fail. */
  const picky = (opening: Opening, given: unknown): void => {
    saves(opening, given)
    if (given !== undefined) throw new Error("cannot open with that")
  }
  const tries = async (w: ReturnType<typeof make>, times: number): Promise<ReadonlyArray<string>> => {
    const outcomes: Array<string> = []
    for (let count = 0; count < times; count++) {
      const call = w.use()
      await w.clock.advance(1000)
      outcomes.push(call.outcome)
    }
    return outcomes
  }

  test.each(["Corrupt", "Newer"] as const)(
    "L25: a record that is unreadable (%s) is set aside, that is told, and the session opens without it",
    async (unreadable) => {
      for (const takes of [0, 50]) {
        const w = make({}, saves)
        const { clock, restored, sessions, store, use, warnings } = w
        store.takes.setAside = takes
        store.records.set("a", { state: undefined, version: "bad", unreadable })
        const call = use()
        await clock.advance(takes)
        expect([call.outcome, restored]).toEqual(["value 1", [undefined]])
        expect(warnings()).toEqual(["WarningRaised SnapshotUnreadable"])
        expect(store.lines).toEqual(["load a", "set aside a on bad"])
        expect(sessions.explain("a").history.map(({ what }) => what)).toContain("SnapshotUnreadable")
        await sessions.restart("a")
        expect(store.lines.at(-1)).toBe("save a on nothing")
        expect(store.records.get("a")?.state).toEqual([undefined, 1])
        await expectNothingLeft(w)
      }
    },
  )

  test("L25: a store that sets nothing aside keeps it until the session saves, which replaces it", async () => {
    for (const unreadable of ["Corrupt", undefined] as const) {
      const w = make({}, unreadable === undefined ? picky : saves)
      const { sessions, store } = w
      Object.assign(store, { setAside: undefined })
      store.records.set("a", { state: "old", version: "bad", unreadable })
      const outcomes = await tries(w, unreadable === undefined ? 3 : 1)
      expect(outcomes.at(-1)).toContain("value")
      expect(store.records.get("a")?.version).toBe("bad")
      await sessions.restart("a")
      expect(store.lines.at(-1)).toBe("save a on bad")
      expect(w.warnings()).toEqual([
        unreadable === undefined ? "WarningRaised SnapshotSetAside" : "WarningRaised SnapshotUnreadable",
      ])
    }
  })

  test("L25: two openings that read what was saved and fail: the third goes without it, and it is set aside", async () => {
    const w = make({}, picky)
    const { restored, sessions, store, warnings } = w
    store.records.set("a", { state: "poison", version: "7" })
    expect(await tries(w, 3)).toEqual(["SessionOpenFailed Failed", "SessionOpenFailed Failed", "value 3"])
    expect(restored).toEqual(["poison", "poison", undefined])
    expect(warnings()).toEqual(["WarningRaised SnapshotSetAside"])
    expect(store.aside).toEqual(["a 7"])
    await sessions.restart("a")
    expect(store.lines.at(-1)).toBe("save a on nothing")
    // What it saves is good again: it is given on, and counts anew.
    expect((await tries(w, 1)).at(0)).toBe("SessionOpenFailed Failed")
    expect(restored.at(-1)).toEqual([undefined, 3])
  })

  test("L25: what was set aside counts for nothing any more: a state that another has saved since is given", async () => {
    const w = make({}, (_, given) => {
      if (given === "poison") throw new Error("cannot open with that")
      if (given === undefined) throw new Error("no network")
    })
    const { restored, store, warnings } = w
    store.records.set("a", { state: "poison", version: "7" })
    await tries(w, 3)
    expect(restored).toEqual(["poison", "poison", undefined])
    store.records.set("a", { state: "good", version: "8" })
    expect((await tries(w, 1))[0]).toContain("value")
    expect(restored.at(-1)).toBe("good")
    expect([warnings(), store.aside]).toEqual([["WarningRaised SnapshotSetAside"], ["a 7"]])
  })

  test("L25: an opening that fails before it has read what was saved says nothing against it", async () => {
    let failing = true
    const restored: Array<unknown> = []
    const clock = new VirtualClock()
    const store = shelf(clock)
    store.records.set("a", { state: "good", version: "7" })
    const { events, sessions } = world(
      { store },
      (opening) => {
        if (failing) throw new Error("no network")
        restored.push(opening.restored)
      },
      clock,
    )
    const call = async (): Promise<string> => {
      const told = watch(
        clock,
        sessions.run("a", () => {}),
      )
      await clock.advance(5000)
      return told.outcome
    }
    for (let count = 0; count < 6; count++) expect(await call()).toBe("SessionOpenFailed Failed")
    failing = false
    expect([await call(), restored]).toEqual(["value undefined", ["good"]])
    expect(events.some((event) => event._tag === "WarningRaised")).toBe(false)
    expect(store.aside).toEqual([])
  })

  test("L25: an opening with it that hangs until its deadline counts; one that its callers give up does not", async () => {
    const w = make({ timeouts: { open: 500 }, restart: { delay: 0 } }, (opening, given) =>
      given === undefined
        ? undefined
        : new Promise((_, reject) => opening.signal.addEventListener("abort", reject)),
    )
    const { clock, restored, sessions, store, use } = w
    store.records.set("a", { state: "poison", version: "7" })
    for (let count = 0; count < 5; count++) {
      const left = watch(
        clock,
        sessions.run("a", () => {}, { timeout: 100 }),
      )
      await clock.advance(200)
      expect(left.outcome).toBe("TaskStopped Timeout")
    }
    expect(store.aside).toEqual([])
    for (let count = 0; count < 2; count++) {
      const hangs = use()
      await clock.advance(1000)
      expect(hangs.outcome).toBe("SessionOpenFailed TimedOut")
    }
    const third = use()
    await clock.advance(1000)
    expect(third.outcome).toContain("value")
    expect([restored.length, restored.at(-1), store.aside]).toEqual([8, undefined, ["a 7"]])
  })

  test("L25: an opening that succeeds with it clears what was counted against it", async () => {
    let bad = true
    const w = make({ restart: { times: 100 } }, (_, given) => {
      if (given !== undefined && bad) throw new Error("cannot open")
    })
    const { clock, sessions, store } = w
    store.records.set("a", { state: "good", version: "7" })
    for (let round = 0; round < 3; round++) {
      bad = true
      expect(await tries(w, 1)).toEqual(["SessionOpenFailed Failed"])
      bad = false
      expect((await tries(w, 1))[0]).toContain("value")
      // Lost, it is remembered: nothing but the success can have cleared it.
      await sessions.run("a", (thing) => thing.opening.broken("dead"))
      await clock.advance(1000)
    }
    expect(store.aside).toEqual([])
    expect(w.restored).toEqual(Array(6).fill("good"))
  })

  test("L25: what cannot be set aside is noted, and the session opens without it all the same", async () => {
    for (const takes of [0, 50]) {
      const w = make({}, saves)
      const { clock, restored, sessions, store, use } = w
      const broken = new Error("no such folder")
      store.takes.setAside = takes
      store.fails.setAside = broken
      store.records.set("a", { state: undefined, version: "bad", unreadable: "Corrupt" })
      const call = use()
      await clock.advance(takes)
      expect([call.outcome, restored]).toEqual(["value 1", [undefined]])
      expect(sessions.explain("a").errors).toMatchObject([{ in: "save", error: broken }])
      await sessions.restart("a")
      expect(store.lines.at(-1)).toBe("save a on bad")
    }
  })

  test("L25, L1: given up while it is being set aside: the user's open is not called", async () => {
    const w = make({}, saves)
    const { clock, restored, sessions, store, use } = w
    store.takes.setAside = 500
    store.records.set("a", { state: undefined, version: "bad", unreadable: "Corrupt" })
    const left = watch(
      clock,
      sessions.run("a", () => {}, { timeout: 100 }),
    )
    await clock.advance(400)
    expect(left.outcome).toBe("TaskStopped Timeout")
    const next = use()
    await clock.advance(100)
    expect([next.outcome, restored]).toEqual(["value 2", [undefined]])
    await expectNothingLeft(w)
  })

  test("L25: what a store answers that is no record at all fails the opening, and not the engine", async () => {
    for (const answer of [null, 5, "text"]) {
      const store = {
        load: () => answer,
        save: () => "1",
        remove: () => {},
      } as unknown as SessionStore
      const w = world({ store })
      const calls = ["a", "b"].map((key) =>
        watch(
          w.clock,
          w.sessions.run(key, () => 1),
        ),
      )
      await w.clock.advance(0)
      for (const { outcome } of calls) expect(outcome).toMatch(/value 1|SessionOpenFailed Failed/)
      expect(w.registry.monitor.defects).toBe(0)
      await expectNothingLeft(w)
    }
  })
})
