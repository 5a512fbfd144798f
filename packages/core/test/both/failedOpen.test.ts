import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"

// The jitter stands in the middle of its range: three quarters of a delay.
const jittered = (delay: number): number => delay * 0.75

describe.each(faces)("$face", ({ world }) => {
  test("L10: three waiters are told of one failure each; a fourth waits for the back-off and gets the next open", async () => {
    const w: World<Thing> = world({}, async ({ generation }) => {
      await w.clock.after(10)
      if (generation === 1) throw broken
    })
    const broken = new Error("no database")
    const { clock, ledger, sessions, story } = w
    const calls = [1, 2, 3].map(() =>
      watch(
        clock,
        sessions.run("a", (thing) => thing.serial),
      ),
    )
    await clock.advance(10)
    for (const call of calls) {
      expect(call).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 10 })
      expect(fieldOf(call, "cause")).toBe(broken)
      expect(fieldOf(call, "retryAfter")).toBe(jittered(100))
    }
    const fourth = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    expect(sessions.explain("a").state).toBe("Backoff")
    await clock.advance(jittered(100) - 1)
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(1)
    await clock.advance(11)
    expect(fourth).toMatchObject({ outcome: "value 2", at: 10 + jittered(100) + 10 })
    expect(ledger.lines).toEqual(["open a#2"])
    await expectNothingLeft(w)
  })

  test("L10: a back-off longer than timeouts.seat is told at once, with what is left of it and the last error", async () => {
    const broken = new Error("no database")
    const { clock, sessions, story } = world({ restart: { delay: "1 minute", maxDelay: "1 minute" } }, () => {
      throw broken
    })
    const first = watch(
      clock,
      sessions.run("a", () => 1),
    )
    await settle()
    expect(first.outcome).toBe("SessionOpenFailed Failed")
    await clock.advance(10_000)
    const second = watch(
      clock,
      sessions.run("a", () => 2),
    )
    await settle()
    expect(second.outcome).toBe("SessionOpenFailed Failed")
    expect(fieldOf(second, "cause")).toBe(broken)
    expect(fieldOf(second, "retryAfter")).toBe(jittered(60_000) - 10_000)
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(1)
    // Short enough to wait for.
    await clock.advance(jittered(60_000) - 10_000 - 5000)
    const third = watch(
      clock,
      sessions.run("a", () => 3),
    )
    await settle()
    expect(third.outcome).toBe("pending")
    await clock.advance(5000)
    expect(third.outcome).toBe("SessionOpenFailed Failed")
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(2)
  })

  test("L10, L12: turns that wait for a restart are told when its open fails, they are not kept for the next one", async () => {
    const { clock, sessions } = world({}, ({ generation }) => {
      if (generation === 2) throw new Error("no database")
    })
    const ends = gate()
    const running = watch(
      clock,
      sessions.run("a", () => ends.promise),
    )
    const queued = [1, 2].map((value) =>
      watch(
        clock,
        sessions.run("a", () => value),
      ),
    )
    await settle()
    const restarted = watch(clock, sessions.restart("a"))
    ends.open()
    await clock.advance(0)
    expect(running.outcome).not.toBe("pending")
    expect(restarted.value).toMatchObject({ reason: "Restarted" })
    for (const call of queued) expect(call).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 0 })
    expect(sessions.explain("a").state).toBe("Closed")
  })

  const failures = (delayBetween: number) => async (): Promise<ReadonlyArray<number>> => {
    const w: World<Thing> = world({ restart: { delay: 100, maxDelay: 1000 } }, ({ generation }) => {
      if (generation !== 6) throw new Error(`failure ${generation}`)
    })
    const { clock, events, sessions } = w
    const calls: Array<Watched> = []
    for (let round = 0; round < 8; round++) {
      const call = watch(
        clock,
        sessions.run("a", (thing) => thing.serial),
      )
      calls.push(call)
      while (call.outcome === "pending") await clock.advance(1)
      if (call.outcome === "value 6") await sessions.close("a")
      await clock.advance(delayBetween)
    }
    await expectNothingLeft(w)
    return events.flatMap((event) => (event._tag === "OpenFailed" ? [event.retryAt - event.at] : []))
  }
  const growing = [100, 200, 400, 800, 1000].map(jittered)

  test("L10: the back-off doubles with each failure in a row up to maxDelay, and an open that succeeds ends the row", async () => {
    expect(await failures(0)()).toEqual([...growing, ...[100, 200].map(jittered)])
  })
  test("L10: also when the caller comes back only after the back-off was over: it is still the same row", async () => {
    expect(await failures(2000)()).toEqual([...growing, ...[100, 200].map(jittered)])
  })

  test("L10: the last waiter leaves the back-off: nothing opens, and what is left of the back-off still holds", async () => {
    const { clock, ledger, sessions, story } = world({ restart: { delay: 4000 } }, ({ generation }) => {
      if (generation === 1) throw new Error("no database")
    })
    watch(
      clock,
      sessions.run("a", () => 1),
    )
    await settle()
    const second = watch(
      clock,
      sessions.run("a", () => 2, { timeout: 1000 }),
    )
    await clock.advance(1000)
    expect(second.outcome).toBe("TaskStopped Timeout")
    expect(sessions.explain("a").state).toBe("Closed")
    const third = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await clock.advance(1999)
    expect(third.outcome).toBe("pending")
    await clock.advance(1)
    expect(third).toMatchObject({ outcome: "value 2", at: jittered(4000) })
    expect(story()).toEqual(["Opening", "OpenFailed", "Closed OpenFailed", "Opening", "Opened"])
    expect(ledger.lines).toEqual(["open a#2"])
  })

  test("L10, L24: close during the back-off refuses who waits, restart leaves them waiting", async () => {
    const { clock, sessions, story } = world({}, ({ generation }) => {
      if (generation === 1) throw new Error("no database")
    })
    watch(
      clock,
      sessions.run("a", () => 1),
    )
    await settle()
    const second = watch(
      clock,
      sessions.run("a", () => 2),
    )
    expect(await sessions.restart("a")).toBeUndefined()
    expect(second.outcome).toBe("pending")
    expect(await sessions.close("a")).toBeUndefined()
    await settle()
    expect(second.outcome).toBe("SessionRefused Closed")
    await clock.advance(10_000)
    expect(story()).toEqual(["Opening", "OpenFailed", "Closed OpenFailed", "Refused Closed"])
    expect(sessions.explain("a").state).toBe("Closed")
  })

  test("L11: failed opens have the back-off alone: they never count towards the quarantine", async () => {
    const { clock, sessions, story } = world({ restart: { times: 0 } }, () => {
      throw new Error("no database")
    })
    for (let round = 0; round < 5; round++) {
      const call = watch(
        clock,
        sessions.run("a", () => 1),
      )
      await clock.advance(2000)
      expect(call.outcome).toBe("SessionOpenFailed Failed")
      expect(sessions.explain("a").restarts.left).toBe(0)
    }
    expect(story()).not.toContain("Quarantined")
  })

  test("L10, L11: a resource that declares itself broken while it opens is a failed open, its cause the declared one", async () => {
    const cause = new Error("wrong version")
    const w = world({ restart: { times: 0 } }, (opening) => {
      if (opening.generation === 1) opening.broken(cause)
    })
    const { clock, sessions, story } = w
    const first = watch(
      clock,
      sessions.run("a", () => 1),
    )
    await settle()
    expect(first.outcome).toBe("SessionOpenFailed Failed")
    expect(fieldOf(first, "cause")).toBe(cause)
    const second = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await clock.advance(1000)
    expect(second.outcome).toBe("value 2")
    expect(story()).not.toContain("Lost")
    await expectNothingLeft(w)
  })
})
