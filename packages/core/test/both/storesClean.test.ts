import { AsyncLocalStorage } from "node:async_hooks"
import { describe, expect, test } from "vitest"
import type { Sessions } from "../../src/Sessions.ts"
import type { SessionStore, Stored } from "../../src/store/SessionStore.ts"
import { faces } from "../support/faces.ts"
import type { Thing } from "../support/ledger.ts"
import { shelf } from "../support/shelf.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const verbs = ["load", "save", "remove", "setAside"] as const

describe.each(faces)("$face", ({ world }) => {
  /** Over a store in which `inside` is called first, whatever is asked. */
  const make = (takes: number, inside: (verb: (typeof verbs)[number], key: string) => unknown) => {
    const clock = new VirtualClock()
    const shelved = shelf(clock)
    for (const verb of verbs) shelved.takes[verb] = takes
    const store: SessionStore = {
      load: (key) => {
        inside("load", key)
        return shelved.load(key)
      },
      save: (key, state, version) => {
        inside("save", key)
        return shelved.save(key, state, version)
      },
      remove: (key) => {
        inside("remove", key)
        return shelved.remove(key)
      },
      setAside: (key, version) => {
        inside("setAside", key)
        return shelved.setAside?.(key, version)
      },
    }
    const w = world(
      { store, idleTimeout: 1000 },
      (opening) => {
        opening.save(() => opening.serial)
      },
      clock,
    )
    return { ...w, shelved }
  }
  const serial = (thing: Thing): number => thing.serial
  const bad: Stored = { state: undefined, version: "bad", unreadable: "Corrupt" }

  test.each([0, 20])(
    "L19: no caller's context is seen by a store that answers after %d ms",
    async (takes) => {
      const context = new AsyncLocalStorage<string>()
      const seen: Array<string> = []
      const w = make(takes, (verb) => seen.push(`${verb} in ${context.getStore() ?? "nothing"}`))
      const { clock, sessions, shelved } = w
      shelved.records.set("b", bad)
      const wait = (): Promise<void> => clock.advance(takes * 2)
      const asAlice = <A>(work: () => A): A => context.run("alice's request", work)
      const calls = asAlice(() => ["a", "b"].map((key) => watch(clock, sessions.run(key, serial))))
      await wait()
      expect(calls.map(({ outcome }) => outcome)).toEqual(["value 1", "value 2"])
      // Saved by her restart, by the clock, and by her drain; removed by her close, with a session, without and while it opens.
      asAlice(() => void sessions.restart("a"))
      await clock.advance(1000 + takes)
      asAlice(() => void sessions.run("a", serial))
      await wait()
      asAlice(() => void sessions.close("a"))
      const next = asAlice(() => watch(clock, sessions.run("a", serial)))
      await clock.advance(takes * 4)
      expect(next.outcome).toContain("value")
      asAlice(() => void sessions.close("a"))
      await wait()
      asAlice(() => void sessions.close("a"))
      const after = asAlice(() =>
        watch(
          clock,
          sessions.run("a", (_, task) => task.close()),
        ),
      )
      await clock.advance(takes * 4)
      expect(after.outcome).toContain("value")
      asAlice(() => void sessions.run("a", serial))
      await clock.advance(takes * 4)
      asAlice(() => void sessions.drain())
      await clock.advance(takes * 4)
      const counted = Object.fromEntries(
        verbs.map((verb) => [verb, seen.filter((line) => line.startsWith(verb)).length]),
      )
      expect(counted["load"]).toBeGreaterThan(4)
      expect(counted["save"]).toBeGreaterThan(2)
      expect(counted["remove"]).toBeGreaterThan(3)
      expect(counted["setAside"]).toBe(1)
      expect(seen.filter((line) => !line.endsWith("in nothing"))).toEqual([])
    },
  )

  test("L20: a store may call back in, in its first line: every call is taken, and the state it sees is whole", async () => {
    let sessions: Sessions<Thing> | undefined
    const told: Array<ReturnType<typeof watch>> = []
    const w = make(0, (verb, key) => {
      if (sessions === undefined || key === "other") return
      // What is counted of the keys must agree with what they say of themselves, in any moment.
      const { counts, sessions: rows } = sessions.snapshot()
      for (const state of ["Opening", "Ready", "Closing", "Restarting"] as const)
        expect(`${verb} ${state} ${rows.filter((row) => row.state === state).length}`).toBe(
          `${verb} ${state} ${counts[state]}`,
        )
      expect(w.registry.seats.taken).toBeLessThanOrEqual(2)
      told.push(
        watch(w.clock, sessions.run("other", serial)),
        watch(w.clock, sessions.run(`from ${verb}`, serial, { mustExist: true })),
        watch(w.clock, sessions.close("other")),
        watch(w.clock, sessions.restart("a")),
      )
    })
    sessions = w.sessions
    w.shelved.records.set("a", bad)
    const { clock } = w
    const first = watch(clock, w.sessions.run("a", serial))
    await clock.advance(10)
    const second = watch(clock, w.sessions.run("a", serial))
    await clock.advance(2000)
    const third = watch(clock, w.sessions.run("a", serial))
    await clock.advance(10)
    void w.sessions.close("a")
    await clock.advance(1000)
    for (const call of [first, second, third]) expect(call.outcome).toContain("value")
    expect(told.length).toBeGreaterThanOrEqual(4 * 4)
    expect(told.filter(({ outcome }) => outcome === "pending")).toEqual([])
    expect(w.registry.monitor.defects).toBe(0)
    await expectNothingLeft(w)
  })

  test.each(verbs)(
    "L7: a %s that waits for a turn of its own key is refused that, instead of waiting for itself",
    async (verb) => {
      const clock = new VirtualClock()
      const shelved = shelf(clock)
      let outcome = "never asked"
      const waits = async (asked: (typeof verbs)[number]): Promise<void> => {
        if (asked !== verb || outcome !== "never asked") return
        outcome = "waits"
        const call = watch(clock, w.sessions.run("a", serial))
        while (call.outcome === "pending") await clock.after(1)
        outcome = call.outcome
      }
      const store: SessionStore = {
        load: async (key) => {
          await waits("load")
          return shelved.load(key)
        },
        save: async (key, state, version) => {
          await waits("save")
          return shelved.save(key, state, version)
        },
        remove: async (key) => {
          await waits("remove")
          await shelved.remove(key)
        },
        setAside: async (key, version) => {
          await waits("setAside")
          await shelved.setAside?.(key, version)
        },
      }
      const w = world({ store }, ({ save }) => save(() => 1), clock)
      if (verb === "setAside") shelved.records.set("a", bad)
      const call = watch(clock, w.sessions.run("a", serial))
      await clock.advance(100)
      if (verb === "save") void w.sessions.restart("a")
      if (verb === "remove") void w.sessions.close("a")
      await clock.advance(100)
      expect([call.outcome, outcome]).toEqual(["value 1", "SessionMisuse ReentrantRun"])
      await expectNothingLeft(w)
    },
  )
})
