import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch } from "../support/watch.ts"

const timeouts = { silence: 10_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  test("L13: a silent turn is told to stop after `silence`, told the caller after `grace`, and the key goes on", async () => {
    const { clock, registry, sessions, story } = world({ timeouts })
    const seen: Array<number> = []
    const silent = watch(
      clock,
      sessions.run("a", (_, { signal }) => {
        signal.addEventListener("abort", () => seen.push(clock.now))
        return gate().promise
      }),
    )
    await clock.advance(10_999)
    expect([silent.outcome, seen]).toEqual(["pending", [10_000]])
    await clock.advance(1)
    expect([silent.outcome, fieldOf(silent, "started"), fieldOf(silent, "abandoned")]).toEqual([
      "TaskStopped Silent",
      true,
      true,
    ])
    expect(story().slice(2)).toEqual(["Lost", "Closing Unresponsive"])
    expect(registry.monitor.abandoned).toBe(1)
    const next = watch(
      clock,
      sessions.run("a", ({ serial }) => serial),
    )
    await clock.advance(3000)
    expect(next.outcome).toBe("value 2")
  })

  test("L13: progress starts its silence again, also when it comes late", async () => {
    const { clock, sessions } = world({ timeouts })
    const run = watch(
      clock,
      sessions.run("a", async (_, { progress }) => {
        for (let beat = 0; beat < 4; beat++) {
          await clock.after(9_900)
          progress()
        }
        await clock.after(9_900)
        return "done"
      }),
    )
    await clock.advance(60_000)
    expect([run.outcome, run.at]).toEqual(["value done", 49_500])
  })

  test("L13: after its last sign of life it has exactly `silence` more", async () => {
    const { clock, sessions } = world({ timeouts })
    const seen: Array<number> = []
    void sessions
      .run("a", async (_, { progress, signal }) => {
        signal.addEventListener("abort", () => seen.push(clock.now))
        await clock.after(4000)
        progress("a note")
        await gate().promise
      })
      .catch(() => {})
    await clock.advance(13_999)
    expect(seen).toEqual([])
    await clock.advance(1)
    expect(seen).toEqual([14_000])
  })

  test("L13, L18: a note tells what it is doing, and when it last said so", async () => {
    const { clock, sessions } = world({ timeouts })
    const run = watch(
      clock,
      sessions.run("a", async (_, { progress }) => {
        await clock.after(1000)
        progress(`row ${"1".repeat(1000)}`)
        progress()
        await clock.after(1000)
      }),
    )
    await clock.advance(1500)
    const [task] = sessions.explain("a").tasks
    expect([task?.progressAt, task?.note?.slice(0, 5), task?.note?.length]).toEqual([1000, "row 1", 256])
    await clock.advance(1000)
    expect(run.outcome).toBe("value undefined")
  })

  test("L13: `silence` of one call; Infinity is for work that rightly says nothing", async () => {
    const { clock, sessions } = world({ timeouts, concurrency: 2 })
    const short = watch(
      clock,
      sessions.run("a", () => gate().promise, { silence: 200 }),
    )
    const quiet = watch(
      clock,
      sessions.run("a", () => clock.after(500_000), { silence: "Infinity" }),
    )
    await clock.advance(1200)
    expect(short.outcome).toBe("TaskStopped Silent")
    await clock.advance(500_000)
    expect(quiet.outcome).toBe("value undefined")
  })

  test("L13: told at silence + grace even if a close begins in between", async () => {
    const { clock, sessions } = world({ timeouts })
    const silent = watch(
      clock,
      sessions.run("a", () => gate().promise),
    )
    await clock.advance(10_700)
    const closed = sessions.close("a")
    await clock.advance(300)
    expect([silent.outcome, silent.at, fieldOf(silent, "abandoned")]).toEqual([
      "TaskStopped Silent",
      11_000,
      true,
    ])
    await clock.advance(10_000)
    expect(await closed).toMatchObject({ reason: "Requested", leaked: true })
  })

  test("L13: a close that begins first bounds it by its own grace", async () => {
    const { clock, sessions } = world({ timeouts })
    const silent = watch(
      clock,
      sessions.run("a", () => gate().promise),
    )
    await clock.advance(9_500)
    void sessions.close("a")
    await clock.advance(1_000)
    expect([silent.outcome, silent.at, fieldOf(silent, "abandoned")]).toEqual([
      "TaskStopped Closed",
      10_500,
      true,
    ])
  })

  test("L13, L23: a loop that stood still makes nobody silent", async () => {
    const { clock, sessions } = world({ timeouts })
    const run = watch(
      clock,
      sessions.run("a", () => clock.after(28_000)),
    )
    await clock.advance(1000)
    await clock.stall(20_000)
    await clock.advance(7000)
    expect([run.outcome, run.at]).toEqual(["value undefined", 28_000])
  })

  test("L13, L23: the same after a turn was cut in the last moments of its silence", async () => {
    const { clock, sessions } = world({ timeouts })
    const first = watch(
      clock,
      sessions.run("a", () => clock.after(10_500)),
    )
    await clock.advance(9_800)
    void sessions.close("a")
    // Its silence is over while the close waits for it.
    await clock.advance(1_000)
    expect(first.outcome).not.toBe("pending")
    const run = watch(
      clock,
      sessions.run("a", () => clock.after(28_000)),
    )
    await clock.advance(1000)
    await clock.stall(20_000)
    await clock.advance(8000)
    expect(run.outcome).toBe("value undefined")
  })

  test("L13, L22: a turn is not silent while a call it made is under way", async () => {
    const { clock, sessions } = world({ timeouts })
    const slow = watch(
      clock,
      sessions.run("a", async () => {
        await sessions.run(
          "b",
          async (_, { progress }) => {
            for (let beat = 0; beat < 5; beat++) {
              await clock.after(3_000)
              progress()
            }
          },
          { silence: 9_000 },
        )
        await clock.after(9_500)
        return "done"
      }),
    )
    await clock.advance(60_000)
    // Its own silence begins when the call has ended.
    expect([slow.outcome, slow.at]).toEqual(["value done", 24_500])
  })

  test("L13: an abandoned turn's late end is fenced off, counted, and lets the next generation be", async () => {
    const { clock, events, registry, sessions } = world({ timeouts })
    const held = gate<string>()
    const silent = watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    await clock.advance(11_000)
    const next = sessions.run("a", ({ serial }) => serial)
    await clock.advance(3000)
    expect(await next).toBe(2)
    held.open("too late")
    await settle()
    await clock.advance(0)
    expect(silent.outcome).toBe("TaskStopped Silent")
    expect(registry.monitor.late).toBe(1)
    expect(events.filter((event) => event._tag === "TaskEnded")).toHaveLength(2)
    expect(sessions.snapshot().counts.leaked).toBe(0)
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(2)
  })
})
