import { AsyncLocalStorage } from "node:async_hooks"
import { describe, expect, test } from "vitest"
import type { Opening, ProbeContext } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { losing } from "../support/losing.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

/** Whose request it is: a probe must never see it. */
const caller = new AsyncLocalStorage<string>()
const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  test("L11: given late, from a task's closure or a listener: it counts from then on, and trust begins with it", async () => {
    const asked: Array<string> = []
    const openings: Array<Opening> = []
    const w: World<Thing> = world({ idleTimeout: "Infinity" }, (opening) => void openings.push(opening))
    const { clock, sessions } = w
    const use = (): Promise<number> => sessions.run("a", serial)
    await use()
    await clock.advance(30_000)
    await sessions.run("a", ({ opening }) => {
      opening.probe(({ why }) => void asked.push(`task's: ${why} at ${clock.now}`), { every: 20_000 })
    })
    await clock.advance(20_000)
    expect(asked).toEqual(["task's: Interval at 50000"])
    await clock.advance(15_000)
    await use()
    expect(asked.slice(1)).toEqual(["task's: BeforeTurn at 65000"])
    await clock.advance(5000)
    openings[0]?.probe(({ why }) => void asked.push(`listener's: ${why} at ${clock.now}`))
    await clock.advance(10_000)
    await use()
    await clock.advance(10_001)
    await use()
    expect(asked.slice(2)).toEqual(["listener's: BeforeTurn at 90001"])
    await expectNothingLeft(w)
  })

  test("L11: given twice: the last one counts, with its own options", async () => {
    const asked: Array<string> = []
    const w: World<Thing> = world({ idleTimeout: "Infinity" }, (opening) => {
      opening.probe(() => asked.push("first"), { every: 100, trustFor: 0 })
      opening.probe(({ why }) => asked.push(`second ${why}`), { trustFor: 1000 })
    })
    await w.sessions.run("a", serial)
    await w.clock.advance(500)
    await w.sessions.run("a", serial)
    expect(asked).toEqual([])
    await w.clock.advance(1001)
    await w.sessions.run("a", serial)
    expect(asked).toEqual(["second BeforeTurn"])
  })

  test("L11, L6: given anew while the first is under way: still no turn beside it, it is not asked again, and it ends with its generation", async () => {
    for (const closed of [false, true]) {
      const answer = gate()
      const asked: Array<string> = []
      const signals: Array<AbortSignal> = []
      const things: Array<Thing> = []
      const w: World<Thing> = world({ idleTimeout: "Infinity" }, (opening) =>
        opening.probe(
          ({ signal }) => {
            signals.push(signal)
            asked.push(`first at ${clock.now}`)
            return answer.promise
          },
          { every: 500 },
        ),
      )
      const { clock, sessions } = w
      await sessions.run("a", (thing) => void things.push(thing))
      await clock.advance(500)
      things[0]?.opening.probe(() => asked.push(`second at ${clock.now}`), { every: 2000 })
      const turn = watch(clock, sessions.run("a", serial))
      await clock.advance(100)
      expect([turn.outcome, asked]).toEqual(["pending", ["first at 500"]])
      if (closed) {
        void sessions.close("a")
        await settle()
        expect(signals[0]?.aborted).toBe(true)
      }
      answer.open()
      await clock.advance(2000)
      expect(turn.outcome).toBe(closed ? "SessionRefused Closed" : "value 1")
      expect(asked).toEqual(["first at 500", ...(closed ? [] : ["second at 2600"])])
      await expectNothingLeft(w)
    }
  })

  test("L21: given after its generation is over: nothing, neither for the old one nor for the next", async () => {
    const asked: Array<string> = []
    const w: World<Thing> = world({ idleTimeout: "Infinity" })
    const { clock, events, sessions } = w
    const things: Array<Thing> = []
    const note = (thing: Thing): void => void things.push(thing)
    await sessions.run("a", note)
    await sessions.restart("a")
    const late = (): void => things[0]?.opening.probe(() => asked.push("asked"), { every: 10, trustFor: 0 })
    late()
    await sessions.run("a", note)
    late()
    await clock.advance(60_000)
    await sessions.run("a", serial)
    expect(asked).toEqual([])
    expect(events.filter((event) => event._tag === "Lost")).toEqual([])
    await expectNothingLeft(w)
  })

  test("L11: declared in a generation, it is that one's alone: the next one is asked only what it gave itself", async () => {
    const asked: Array<number> = []
    const { clock, sessions } = world({ idleTimeout: "Infinity" }, (opening) => {
      if (opening.serial === 1) opening.probe(() => asked.push(opening.serial), { every: 100 })
    })
    await sessions.run("a", serial)
    await clock.advance(150)
    await sessions.restart("a")
    await sessions.run("a", serial)
    await clock.advance(60_000)
    await sessions.run("a", serial)
    expect(asked).toEqual([1])
  })

  test("L19: no caller's store is seen in a probe, whoever's call makes it be asked, nor where its signal aborts", async () => {
    const seen: Array<string> = []
    const note = (where: string): void => void seen.push(`${where}: ${caller.getStore()}`)
    const w: World<Thing> = world({ idleTimeout: "Infinity" })
    const { clock, sessions } = w
    const check = async ({ why, signal }: ProbeContext): Promise<void> => {
      note(why)
      signal.addEventListener("abort", () => note("abort"))
      await settle()
      note(`${why}, later`)
      if (why === "Interval") await new Promise(() => {})
    }
    const as = <A>(name: string, work: () => A): A => caller.run(name, work)
    await as("first", () => sessions.run("a", ({ opening }) => opening.probe(check, { every: 60_000 })))
    watch(
      clock,
      as("second", () => sessions.run("a", () => Promise.reject(new Error("fails")))),
    )
    for (let round = 0; round < 3; round++) await settle()
    await clock.advance(10_001)
    watch(
      clock,
      as("third", () => sessions.run("a", serial)),
    )
    for (let round = 0; round < 3; round++) await settle()
    await clock.advance(60_001)
    watch(
      clock,
      as("fourth", () => sessions.close("a")),
    )
    await clock.advance(20_000)
    const expected = ["AfterError", "BeforeTurn", "Interval"].flatMap((why) => [why, `${why}, later`])
    expect(seen).toEqual([...expected, "abort"].map((where) => `${where}: undefined`))
  })

  test("L11: on trial after a quarantine a bad probe quarantines again, twice as long; a good one does not", async () => {
    const good = { value: false }
    const w = losing(world)({ restart: { times: 0 } }, (opening) =>
      opening.probe(() => settle().then(() => good.value)),
    )
    const { clock, lose, sessions, story, use } = w
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")
    await clock.advance(30_000)
    const fails = watch(
      clock,
      sessions.run("a", () => Promise.reject(new Error("fails"))),
    )
    const behind = use()
    await clock.advance(0)
    expect([fails.outcome, behind.outcome]).toEqual(["error fails", "SessionRefused Quarantined"])
    expect(sessions.explain("a")).toMatchObject({ state: "Quarantined", ended: { reason: "RestartLimit" } })
    await clock.advance(59_999)
    const early = use()
    await clock.advance(1)
    expect(early.outcome).toBe("SessionRefused Quarantined")
    good.value = true
    const again = watch(
      clock,
      sessions.run("a", () => Promise.reject(new Error("fails"))),
    )
    const served = use()
    await clock.advance(0)
    expect([again.outcome, served.outcome]).toEqual(["error fails", "value 3"])
    expect(story().filter((tag) => tag.startsWith("Quarantined"))).toHaveLength(2)
    await expectNothingLeft(w)
  })

  test("L11: a probe that keeps failing is a loss like any other: too many quarantine the key", async () => {
    const { clock, events, sessions, story } = world({ restart: { times: 2, delay: 0 } }, (opening) =>
      opening.probe(() => settle().then(() => false)),
    )
    const work = Array.from({ length: 3 }, () =>
      watch(
        clock,
        sessions.run("a", () => Promise.reject(new Error("fails"))),
      ),
    )
    const last = watch(clock, sessions.run("a", serial))
    await clock.advance(1000)
    expect(work.map((call) => call.outcome)).toEqual(["error fails", "error fails", "error fails"])
    expect(last.outcome).toBe("SessionRefused Quarantined")
    expect(events.filter((event) => event._tag === "Lost").length).toBe(3)
    expect(story().at(-1)).toMatch(/^Quarantined|^Refused/)
  })

  test("L11, L21: the resource declares itself broken while it is probed, or inside the probe: it counts once, the answer not at all", async () => {
    for (const inside of [true, false]) {
      const answer = gate<boolean>()
      const openings: Array<Opening> = []
      const w: World<Thing> = world({ idleTimeout: "Infinity" }, (opening) => {
        openings.push(opening)
        opening.probe(async () => {
          if (inside && opening.serial === 1) opening.broken(new Error("gone"))
          return answer.promise
        })
      })
      const { clock, events, sessions } = w
      await sessions.run("a", serial)
      await clock.advance(10_001)
      const waits = watch(clock, sessions.run("a", serial))
      await clock.advance(10)
      if (!inside) openings[0]?.broken(new Error("gone"))
      answer.open(false)
      await clock.advance(0)
      expect(waits.outcome).toBe("value 2")
      expect(events.filter((event) => event._tag === "Lost")).toMatchObject([
        { by: "resource", cause: { message: "gone" } },
      ])
      await expectNothingLeft(w)
    }
  })
})
