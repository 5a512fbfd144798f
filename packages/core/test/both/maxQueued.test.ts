import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch } from "../support/watch.ts"

const sizes = [1, 3].flatMap((concurrency) => [0, 1, 4].map((maxQueued) => ({ concurrency, maxQueued })))

describe.each(faces)("$face", ({ world }) => {
  test.each(sizes)(
    "L9: $maxQueued may wait behind $concurrency that run; one more is refused",
    async (policy) => {
      const { clock, sessions } = world(policy)
      const held = gate()
      const letIn = policy.concurrency + policy.maxQueued
      await sessions.run("a", () => "ready")
      const runs = Array.from({ length: letIn + 2 }, () =>
        watch(
          clock,
          sessions.run("a", () => held.promise),
        ),
      )
      await settle()
      expect(runs.map((run) => run.outcome)).toEqual([
        ...Array.from({ length: letIn }, () => "pending"),
        "SessionRefused MaxQueued",
        "SessionRefused MaxQueued",
      ])
      expect(runs.slice(letIn).map((run) => Number(fieldOf(run, "retryAfter")) > 0)).toEqual([true, true])
      held.open()
      await clock.advance(0)
      expect(runs.slice(0, letIn).every((run) => run.outcome === "value undefined")).toBe(true)
      // The room is there again.
      expect(await sessions.run("a", () => "later")).toBe("later")
    },
  )

  test.each(sizes)(
    "L9: the same while it opens: $concurrency can start, $maxQueued wait behind them",
    async (policy) => {
      const { clock, sessions } = world(policy)
      const letIn = policy.concurrency + policy.maxQueued
      const runs = Array.from({ length: letIn + 1 }, (_, n) =>
        watch(
          clock,
          sessions.run("a", () => n),
        ),
      )
      await clock.advance(0)
      expect(runs.map((run) => run.outcome)).toEqual([
        ...Array.from({ length: letIn }, (_, n) => `value ${n}`),
        "SessionRefused MaxQueued",
      ])
    },
  )

  test("L9: a queued turn that leaves makes room; one told to stop still takes its slot", async () => {
    const { clock, sessions } = world({ maxQueued: 1 })
    const held = gate()
    const [running, queued] = [new AbortController(), new AbortController()]
    const first = watch(
      clock,
      sessions.run("a", () => held.promise, { signal: running.signal }),
    )
    const second = watch(
      clock,
      sessions.run("a", () => 2, { signal: queued.signal }),
    )
    await settle()
    queued.abort(new Error("left"))
    const third = watch(
      clock,
      sessions.run("a", () => 3),
    )
    await settle()
    running.abort(new Error("stopped"))
    const fourth = watch(
      clock,
      sessions.run("a", () => 4),
    )
    await settle()
    expect([first, second, third, fourth].map((run) => run.outcome)).toEqual([
      "error stopped",
      "error left",
      "pending",
      "SessionRefused MaxQueued",
    ])
    held.open()
    await clock.advance(0)
    expect(third.outcome).toBe("value 3")
  })

  test("L9: overlapping work is not counted among those that wait for a turn", async () => {
    const { sessions } = world({ maxQueued: 0 })
    const held = gate()
    const first = sessions.run("a", () => held.promise)
    await settle()
    expect(await sessions.run("a", () => "read", { whenBusy: "overlap" })).toBe("read")
    held.open()
    await first
  })
})
