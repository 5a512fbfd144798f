import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  test.each([
    ["the registry's", { whenBusy: "reject" } as const, {}],
    ["the call's", {}, { whenBusy: "reject" } as const],
  ])("L6: reject, %s: Busy while a turn runs, served before and after", async (_, policy, call) => {
    const { clock, sessions } = world(policy)
    const held = gate()
    const first = watch(
      clock,
      sessions.run("a", () => held.promise, call),
    )
    // Already while it opens: the turn it would be is taken.
    const early = watch(
      clock,
      sessions.run("a", () => 2, call),
    )
    await settle()
    const late = watch(
      clock,
      sessions.run("a", () => 3, call),
    )
    await settle()
    expect([early.outcome, late.outcome]).toEqual(["SessionRefused Busy", "SessionRefused Busy"])
    expect(fieldOf(late, "retryAfter")).toBeGreaterThan(0)
    held.open()
    await clock.advance(0)
    expect(first.outcome).toBe("value undefined")
    expect(await sessions.run("a", () => 4, call)).toBe(4)
  })

  test("L6: a call that queues is not refused by a registry that rejects, and the other way round", async () => {
    const { clock, sessions } = world({ whenBusy: "reject" })
    const held = gate()
    const first = sessions.run("a", () => held.promise)
    const queued = watch(
      clock,
      sessions.run("a", () => 2, { whenBusy: "queue" }),
    )
    await settle()
    expect(queued.outcome).toBe("pending")
    held.open()
    await first
    await clock.advance(0)
    expect(queued.outcome).toBe("value 2")
  })

  test("L6: with concurrency 2, reject refuses the third", async () => {
    const { clock, sessions } = world({ concurrency: 2, whenBusy: "reject" })
    const held = gate()
    const runs = [1, 2, 3].map(() =>
      watch(
        clock,
        sessions.run("a", () => held.promise),
      ),
    )
    await settle()
    expect(runs.map((run) => run.outcome)).toEqual(["pending", "pending", "SessionRefused Busy"])
    held.open()
    await clock.advance(0)
  })

  test.each([
    ["the registry's", { whenBusy: "replace" } as const, {}],
    ["the call's", {}, { whenBusy: "replace" } as const],
  ])(
    "L5, L6: replace, %s: the old caller is told at once, the new turn waits for the real end",
    async (_, policy, call) => {
      const { clock, sessions } = world(policy)
      const held = gate()
      const lines: Array<string> = []
      const first = watch(
        clock,
        sessions.run(
          "a",
          async ({ serial }, { signal }) => {
            lines.push(`first on ${serial}`)
            await held.promise
            lines.push(`first ends, aborted ${signal.aborted}`)
          },
          call,
        ),
      )
      await settle()
      const second = watch(
        clock,
        sessions.run("a", ({ serial }) => lines.push(`second on ${serial}`), call),
      )
      await settle()
      expect(first.outcome).toBe("TaskStopped Replaced")
      expect([fieldOf(first, "started"), fieldOf(first, "abandoned")]).toEqual([true, false])
      expect(second.outcome).toBe("pending")
      held.open()
      await clock.advance(0)
      expect(lines).toEqual(["first on 1", "first ends, aborted true", "second on 1"])
      expect(second.outcome).toBe("value 3")
    },
  )

  test("L6: replace twice while the first ignores its signal: only the last one runs", async () => {
    const { clock, sessions } = world({ whenBusy: "replace" })
    const held = gate()
    const ran: Array<number> = []
    const first = watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    await settle()
    const [second, third] = [2, 3].map((n) =>
      watch(
        clock,
        sessions.run("a", () => ran.push(n)),
      ),
    )
    await settle()
    expect([first.outcome, second?.outcome, third?.outcome]).toEqual([
      "TaskStopped Replaced",
      "TaskStopped Replaced",
      "pending",
    ])
    expect(second && fieldOf(second, "started")).toBe(false)
    held.open()
    await clock.advance(0)
    expect(ran).toEqual([3])
    expect(third?.outcome).toBe("value 1")
  })

  test("L6: replace while it opens takes the place of the oldest, where no other is left", async () => {
    const { clock, sessions } = world({ whenBusy: "replace", concurrency: 2 })
    const runs = [1, 2, 3].map((n) =>
      watch(
        clock,
        sessions.run("a", () => n),
      ),
    )
    await clock.advance(0)
    expect(runs.map((run) => run.outcome)).toEqual(["TaskStopped Replaced", "value 2", "value 3"])
  })

  test("L6: with concurrency 2, replace stops the oldest turn alone", async () => {
    const { clock, sessions } = world({ whenBusy: "replace", concurrency: 2 })
    const held = gate()
    const runs = [1, 2, 3].map(() =>
      watch(
        clock,
        sessions.run("a", ({ serial }) => held.promise.then(() => serial)),
      ),
    )
    await settle()
    const late = watch(
      clock,
      sessions.run("a", () => "late"),
    )
    await settle()
    held.open()
    await clock.advance(0)
    expect([...runs, late].map((run) => run.outcome)).toEqual([
      "TaskStopped Replaced",
      "TaskStopped Replaced",
      "value 1",
      "value late",
    ])
  })

  test("L6: replace with nothing in the way replaces nothing", async () => {
    const { sessions } = world({ whenBusy: "replace", concurrency: 2 })
    const held = gate<string>()
    const first = sessions.run("a", () => held.promise)
    await settle()
    expect(await sessions.run("a", () => "beside")).toBe("beside")
    held.open("undisturbed")
    expect(await first).toBe("undisturbed")
  })

  test("L6: overlap runs beside the turns, takes none and waits for none", async () => {
    const { clock, sessions } = world()
    const held = gate()
    const first = sessions.run("a", () => held.promise)
    const queued = watch(
      clock,
      sessions.run("a", () => "queued"),
    )
    await settle()
    const reads = Array.from({ length: 3 }, () =>
      sessions.run("a", (thing) => thing.serial, { whenBusy: "overlap" }),
    )
    expect(await Promise.all(reads)).toEqual([1, 1, 1])
    expect(queued.outcome).toBe("pending")
    const long = gate()
    const beside = sessions.run("a", () => long.promise, { whenBusy: "overlap" })
    await settle()
    held.open()
    await first
    await clock.advance(0)
    // The overlapping one still runs, and is in nobody's way.
    expect(queued.outcome).toBe("value queued")
    long.open()
    await beside
  })

  test("L6, L1: a first user that overlaps opens the session and shares the open", async () => {
    const { ledger, sessions } = world({ whenBusy: "overlap" })
    expect(await Promise.all([1, 2].map((n) => sessions.run("a", ({ serial }) => [n, serial])))).toEqual([
      [1, 1],
      [2, 1],
    ])
    expect(ledger.opened).toBe(1)
  })
})
