import { describe, expect, test } from "vitest"
import type { RunOptions } from "../../src/SessionOptions.ts"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  const recycling = (policy: Policy, before?: Parameters<typeof world>[1]) => {
    const w = world({ idleTimeout: "Infinity", ...policy }, before)
    const run = (work: (thing: Thing, task: Task) => unknown = serial, options?: RunOptions): Watched =>
      watch(w.clock, w.sessions.run("a", work, options))
    const closed = (): ReadonlyArray<string> =>
      w.events.flatMap((event) =>
        event._tag === "Closed" ? [`${event.session.serial} ${event.reason} at ${event.at}`] : [],
      )
    return { ...w, run, closed }
  }

  const others: ReadonlyArray<
    readonly [
      string,
      (w: ReturnType<typeof recycling>, things: ReadonlyArray<Thing>) => unknown,
      string,
      string,
    ]
  > = [
    ["close", ({ sessions }) => sessions.close("a"), "Requested", "SessionRefused Closed"],
    [
      "close that lets turns finish",
      ({ sessions }) => sessions.close("a", { finishWithin: 5000 }),
      "Requested",
      "SessionRefused Closed",
    ],
    ["restart", ({ sessions }) => sessions.restart("a"), "Restarted", "value 2"],
    // It was retiring before, and that is why it goes when its turn has ended.
    ["drain", ({ sessions }) => sessions.drain(), "Recycled", "SessionRefused Draining"],
    [
      "drain that cuts",
      ({ sessions }) => sessions.drain({ finishWithin: 0 }),
      "Drained",
      "SessionRefused Draining",
    ],
    ["broken", (_, things) => things[0]?.opening.broken(), "Broken", "value 2"],
    ["end", (_, things) => things[0]?.opening.end(), "Ended", "value 2"],
  ]
  /** Recycled at 1000, while a turn runs or nobody does; the other cause comes then, before or after. */
  const meets = async (row: (typeof others)[number], busy: boolean, before: boolean) => {
    const things: Array<Thing> = []
    const w = recycling({ maxAge: 1000 })
    const { clock, run } = w
    const reports: Array<unknown> = []
    await w.sessions.run("a", (thing) => void things.push(thing))
    const running = busy
      ? run(async (_, { signal }) => {
          await Promise.race([
            clock.after(2000),
            new Promise((_resolve, reject) =>
              signal.addEventListener("abort", () => reject(new Error("stopped"))),
            ),
          ])
        })
      : undefined
    await settle()
    const waits = busy ? run() : undefined
    const cause = async (): Promise<void> => {
      reports.push(await row[1](w, things))
    }
    if (before) {
      // In the very tick, the cause's own timer first.
      void clock.after(1000).then(cause)
      await clock.advance(1000)
    } else {
      await clock.advance(1000)
      void cause()
    }
    await clock.advance(5000)
    return { ...w, reports, running, waits }
  }

  test.each(others)(
    "L14, L24: recycled and %s at one moment while a turn runs: one close with the stronger reason, one outcome each",
    async (...row) => {
      const [, , reason, moved] = row
      for (const before of [false, true]) {
        const w = await meets(row, true, before)
        const ends = w.events.filter((event) => event._tag === "Closed" && event.session.serial === 1)
        expect(ends).toMatchObject([{ reason, leaked: false }])
        expect(w.running?.outcome).toMatch(/^value undefined|^TaskStopped (Closed|Restarted|Drained|Broken)/)
        expect(w.waits?.outcome).toBe(moved)
        expect(w.ledger.mostOfOneKey).toBe(1)
        expect(w.reports).toHaveLength(1)
        await expectNothingLeft(w)
      }
    },
  )

  test.each(others)(
    "L24: recycled and %s at one moment while idle: closed once, whichever came first",
    async (...row) => {
      const [, , reason] = row
      for (const before of [false, true]) {
        const w = await meets(row, false, before)
        const ends = w.events.flatMap((event) => (event._tag === "Closed" ? [event.reason] : []))
        expect(ends).toHaveLength(1)
        expect([reason, "Recycled", "Drained"]).toContain(ends[0])
        expect(w.ledger.lines).toEqual(["open a#1", "release a#1"])
        await expectNothingLeft(w)
      }
    },
  )

  test("L14: while draining, a nested call that waits for the next generation of a retired session is still served", async () => {
    const { clock, closed, run, sessions } = recycling({ maxAge: 1000 })
    const running = run(() => clock.after(3000))
    await clock.advance(2000)
    const outer = watch(
      clock,
      sessions.run("b", () => sessions.run("a", serial)),
    )
    await clock.advance(0)
    const drained = watch(clock, sessions.drain())
    await clock.advance(1000)
    expect([running.outcome, outer.outcome]).toEqual(["value undefined", "value 3"])
    expect(drained).toMatchObject({ at: 3000, value: { finished: 3, cut: [], leaked: [] } })
    expect(closed()).toContain("1 Recycled at 3000")
  })

  test("L24: a close while it retires forgets: who came before is refused, who comes after opens afresh, nothing is saved", async () => {
    const restored: Array<unknown> = []
    const w = recycling({ maxTurns: 1 }, (opening) => {
      restored.push(opening.restored)
      opening.save(() => "saved")
    })
    const { clock, run, sessions } = w
    run(() => clock.after(1000))
    const waits = run()
    await clock.advance(500)
    const closed = watch(clock, sessions.close("a", { finishWithin: 5000 }))
    await settle()
    expect(waits.outcome).toBe("SessionRefused Closed")
    const after = run()
    await clock.advance(500)
    expect(closed.value).toMatchObject({ reason: "Requested" })
    expect(after.outcome).toBe("value 2")
    expect(restored).toEqual([undefined, undefined])
  })

  test("L8: evicted or idle before it is too old: its age does not follow it into the next life", async () => {
    const { clock, closed, run } = recycling({ maxAge: 1000, idleTimeout: 400 })
    run()
    await clock.advance(600)
    const next = run(() => clock.after(900))
    await clock.advance(900)
    expect(next.outcome).toBe("value undefined")
    await clock.advance(100)
    expect(closed()).toEqual(["1 Idle at 400", "2 Recycled at 1600"])
  })

  test("L7: while it retires, a running turn's nested call takes a free slot, or is refused; it never waits for its own end", async () => {
    const { clock, run, sessions } = recycling({ maxAge: 100, concurrency: 2 })
    const nested = async (): Promise<string> => {
      await clock.after(200)
      const own = await sessions.run("a", serial).then(String, (error: { reason: string }) => error.reason)
      const through = await sessions.run("b", () => sessions.run("a", serial))
      return `${own} ${through}`
    }
    const alone = run(nested)
    await clock.advance(200)
    expect(alone).toMatchObject({ outcome: "value 1 1", at: 200 })
    await clock.advance(1000)
    const outer = run(async () => {
      await clock.after(200)
      return sessions.run("a", serial).then(String, (error: { reason: string }) => error.reason)
    })
    const beside = run(() => clock.after(300))
    const waits = run()
    await clock.advance(300)
    expect(outer.outcome).toBe("value ReentrantRun")
    expect([beside.outcome, waits.outcome]).toEqual(["value undefined", "value 4"])
  })

  test("L7: a nested call that waits for a slot can no longer be served once its session retires: refused, not waited for", async () => {
    const { clock, run, sessions } = recycling({ maxAge: 100, concurrency: 2 })
    const { sessions: elsewhere } = world({}, undefined, clock)
    const holds = gate()
    // In b, a turn waits for one of a's slots; in a, one of the two turns waits for b.
    const plain = run(() => clock.after(1000))
    const inA = run(() => holds.promise.then(() => elsewhere.run("b", () => "b served")))
    await settle()
    const inB = watch(
      clock,
      elsewhere.run("b", () => sessions.run("a", serial)),
    )
    await settle()
    holds.open()
    await clock.advance(99)
    expect([inA.outcome, inB.outcome]).toEqual(["pending", "pending"])
    await clock.advance(1)
    expect(inB).toMatchObject({ outcome: "SessionMisuse ReentrantRun", at: 100 })
    expect(inA).toMatchObject({ outcome: "value b served", at: 100 })
    await clock.advance(900)
    expect(plain).toMatchObject({ outcome: "value undefined", at: 1000 })
  })
})
