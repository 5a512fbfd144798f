import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { losing, type Losing } from "../support/losing.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = losing(world)
  const serial = (thing: Thing): number => thing.serial

  test("L11: times + 1 losses quarantine the key alone; who waits and who comes is told when to try again", async () => {
    const w = make({ restart: { times: 2 } })
    const { clock, lose, sessions, story, use } = w
    await lose()
    await lose()
    const finds = gate()
    const finder = watch(
      clock,
      sessions.run("a", (thing) => finds.promise.then(() => thing.opening.broken())),
    )
    await clock.advance(1000)
    const queued = [use(), use()]
    finds.open()
    await clock.advance(0)
    expect(finder.outcome).toBe("value undefined")
    for (const call of queued) expect(call.outcome).toBe("SessionRefused Quarantined")
    expect(sessions.explain("a")).toMatchObject({ state: "Quarantined", ended: { reason: "RestartLimit" } })
    await clock.advance(10_000)
    const late = use()
    const other = use("b")
    await clock.advance(0)
    expect(late.outcome).toBe("SessionRefused Quarantined")
    expect(fieldOf(late, "retryAfter")).toBe(20_000)
    expect(other.outcome).toContain("value")
    expect(story().filter((tag) => tag.startsWith("Quarantined"))).toHaveLength(1)
    await expectNothingLeft(w)
  })

  test("L11, L1: after the cool-down one trial is shared by all; lost again, the quarantine is twice as long", async () => {
    const w: Losing = make({ restart: { times: 1 } }, () => w.clock.after(50))
    const { clock, lose, sessions, story, use } = w
    await lose()
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")
    // It began 50 ms ago: the open took as long.
    await clock.advance(29_949)
    const early = use()
    await clock.advance(0)
    expect(early.outcome).toBe("SessionRefused Quarantined")
    await clock.advance(1)
    const trials = [use(), use(), use()]
    await clock.advance(50)
    for (const call of trials) expect(call.outcome).toBe("value 3")
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(3)
    // One loss is enough now.
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")
    const late = use()
    await clock.advance(0)
    expect(fieldOf(late, "retryAfter")).toBe(60_000 - 100)
  })

  test("L11: a trial that lives for a sixth of within clears everything; one that fails to open quarantines again", async () => {
    const w = make({ restart: { times: 0, within: 6000 } }, ({ serial: number }) => {
      if (number === 2) throw new Error("no database")
    })
    const { clock, lose, sessions, use } = w
    await lose()
    await clock.advance(30_000)
    const fails = [use(), use()]
    await clock.advance(0)
    for (const call of fails) expect(call.outcome).toBe("SessionOpenFailed Failed")
    expect(sessions.explain("a").state).toBe("Quarantined")
    const late = use()
    await clock.advance(0)
    expect(late.outcome).toBe("SessionRefused Quarantined")
    expect(fieldOf(late, "retryAfter")).toBe(60_000)
    await clock.advance(60_000)
    const trial = use()
    await clock.advance(1000)
    expect(trial.outcome).toBe("value 3")
    await lose()
    const again = use()
    await clock.advance(0)
    // A first quarantine again, not the third in a row.
    expect(fieldOf(again, "retryAfter")).toBeLessThanOrEqual(30_000)
  })

  test("L11: an idle close between losses hides nothing, good health does, and so does time", async () => {
    const { clock, lose, sessions, story, use } = make({ restart: { times: 1 }, idleTimeout: 1000 })
    await lose()
    const idles = use()
    await clock.advance(1000)
    expect(idles.outcome).toBe("value 2")
    expect(sessions.explain("a").state).toBe("Closed")
    expect(sessions.explain("a").restarts.left).toBe(0)
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")

    await lose("b")
    const lease = await sessions.lease("b")
    await clock.advance(10_000)
    await lease.release()
    await lose("b")
    expect(sessions.explain("b").state).toBe("Closed")

    await lose("c")
    await clock.advance(60_100)
    await lose("c")
    expect(sessions.explain("c").state).toBe("Closed")
    expect(story().filter((tag) => tag.startsWith("Quarantined"))).toHaveLength(1)
  })

  test("L11, L24: an operator's restart counts for nothing, and lifts a quarantine; a close leaves it", async () => {
    const { clock, lose, sessions, use } = make({ restart: { times: 0 } })
    for (let round = 0; round < 3; round++) {
      await sessions.run("a", serial)
      await sessions.restart("a")
    }
    expect(sessions.explain("a").state).toBe("Closed")
    await lose()
    expect(await sessions.close("a")).toBeUndefined()
    expect(sessions.explain("a").state).toBe("Quarantined")
    expect(await sessions.restart("a")).toBeUndefined()
    expect(sessions.explain("a").state).toBe("Closed")
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toContain("value")
  })

  test("L11: a trial whose last waiter leaves decides nothing: the next use is the trial", async () => {
    const held = gate()
    const { clock, lose, sessions, story, use } = make({ restart: { times: 0 } }, ({ serial: number }) =>
      number === 2 ? held.promise : undefined,
    )
    await lose()
    await clock.advance(30_000)
    const leaves = watch(clock, sessions.run("a", serial, { timeout: 10 }))
    await clock.advance(10)
    expect(leaves.outcome).toBe("TaskStopped Timeout")
    held.open()
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 3")
    await lose()
    expect(sessions.explain("a").state).toBe("Quarantined")
    expect(story().filter((tag) => tag.startsWith("Quarantined"))).toHaveLength(2)
  })
})
