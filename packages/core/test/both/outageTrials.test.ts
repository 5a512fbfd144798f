import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { outages, type Outage } from "../support/outage.ts"
import { expectNothingLeft, fieldOf } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = outages(world)
  const began = async (...setup: Parameters<typeof make>): Promise<Outage> => {
    const w = make(...setup)
    w.backend.down = true
    await w.failures(20)
    expect(w.warnings()).toEqual(["WarningRaised Outage"])
    return w
  }

  test("L11: after the pause exactly one tries, and the others are refused meanwhile; its success ends the outage", async () => {
    const held = gate()
    const w = await began({}, ({ key }) => (key === "trial" ? held.promise : undefined))
    const { backend, clock, use, warnings } = w
    const { asked } = backend
    await clock.advance(749)
    const early = use("early")
    await clock.advance(1)
    expect(early).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 749 })
    expect(fieldOf(early, "retryAfter")).toBe(1)
    const trial = use("trial")
    const others = [use("other"), use("f3"), use("another")]
    const joins = use("trial")
    await clock.advance(0)
    expect(backend.asked).toBe(asked + 1)
    for (const call of others) {
      expect(call).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 750 })
      // While one tries, nobody knows how long that takes.
      expect(fieldOf(call, "retryAfter")).toBe(1000)
    }
    backend.down = false
    await clock.advance(1234)
    held.open()
    await clock.advance(0)
    expect([trial.outcome, joins.outcome]).toEqual(["value 21", "value 21"])
    expect(warnings()).toEqual(["WarningRaised Outage", "WarningCleared Outage"])
    const after = [use("other"), use("another"), use("f3")]
    await clock.advance(0)
    for (const call of after) expect(call.outcome).toContain("value")
    await expectNothingLeft(w)
  })

  test("L11: each trial that fails doubles the pause, from one second to thirty; then it begins with one again", async () => {
    const { backend, clock, failures, use, warnings } = await began()
    const pauses: Array<number> = []
    for (let trial = 0; trial < 8; trial++) {
      const asks = use("asks")
      await clock.advance(0)
      const pause = Number(fieldOf(asks, "retryAfter"))
      pauses.push(pause)
      await clock.advance(pause - 1)
      const before = backend.asked
      use(`early ${trial}`)
      await clock.advance(1)
      expect(backend.asked).toBe(before)
      use(`trial ${trial}`)
      await clock.advance(0)
      expect(backend.asked).toBe(before + 1)
    }
    // The middle of the jitter: three quarters of 1, 2, 4 … and at most 30 seconds.
    expect(pauses).toEqual([750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500])
    expect(warnings()).toEqual(["WarningRaised Outage"])
    await clock.advance(22_500)
    backend.down = false
    const well = use("well")
    await clock.advance(0)
    expect(well.outcome).toContain("value")
    backend.down = true
    await failures(20, "again ")
    const refused = use("new")
    await clock.advance(0)
    expect(fieldOf(refused, "retryAfter")).toBe(750)
    expect(warnings()).toEqual(["WarningRaised Outage", "WarningCleared Outage", "WarningRaised Outage"])
  })

  test("L11: the last failure is what everybody is told; one that had begun before the outage changes nothing else", async () => {
    const held = gate()
    const w = make({}, async ({ key }) => {
      if (key === "early") await held.promise
    })
    const { backend, clock, failures, use } = w
    const early = use("early")
    await clock.advance(0)
    backend.down = true
    await failures(20)
    backend.error = new Error("worse")
    held.open()
    await clock.advance(0)
    expect(early.outcome).toBe("SessionOpenFailed Failed")
    const told = async (): Promise<ReadonlyArray<unknown>> => {
      const refused = use("asks")
      await clock.advance(0)
      return [fieldOf(refused, "cause"), fieldOf(refused, "retryAfter")]
    }
    expect(await told()).toEqual([backend.error, 750])
    await clock.advance(750)
    backend.error = new Error("worst")
    use("trial")
    await clock.advance(0)
    expect(await told()).toEqual([backend.error, 1500])
  })

  test("L11: when it is over, what failed before is forgotten: one more failure makes no new outage", async () => {
    const { backend, clock, use, warnings } = await began()
    backend.down = false
    await clock.advance(750)
    use("trial")
    await clock.advance(0)
    backend.down = true
    use("one")
    await clock.advance(0)
    const other = use("other")
    await clock.advance(0)
    expect(fieldOf(other, "retryAfter")).toBe(75)
    expect(warnings()).toEqual(["WarningRaised Outage", "WarningCleared Outage"])
  })

  test("L11: an opening that had begun before the outage and succeeds ends it as well", async () => {
    const held = gate()
    const w = make({}, async ({ key }, backend) => {
      if (key !== "slow") return
      await held.promise
      backend.down = false
    })
    const { clock, failures, use, warnings } = w
    const slow = use("slow")
    await clock.advance(0)
    w.backend.down = true
    await failures(20)
    expect(warnings()).toEqual(["WarningRaised Outage"])
    held.open()
    await clock.advance(0)
    expect(slow.outcome).toContain("value")
    expect(warnings()).toEqual(["WarningRaised Outage", "WarningCleared Outage"])
    const next = use("next")
    await clock.advance(0)
    expect(next.outcome).toContain("value")
    await expectNothingLeft(w)
  })

  test("L11: a quarantined key whose time is over is refused like all others, and its trial is still to come", async () => {
    const w = make({ restart: { times: 0, quarantine: 1000 } })
    const { backend, clock, failures, sessions, use } = w
    await sessions.run("q", (thing) => thing.opening.broken("dead"))
    await clock.advance(1000)
    backend.down = true
    await failures(20)
    for (let round = 0; round < 3; round++) {
      const refused = use("q")
      await clock.advance(0)
      expect(refused.outcome).toBe("SessionOpenFailed Failed")
      expect(sessions.explain("q").state).toBe("Quarantined")
    }
    backend.down = false
    await clock.advance(750)
    const trial = use("q")
    await clock.advance(0)
    expect(trial.outcome).toContain("value")
    await expectNothingLeft(w)
  })

  test("L11: the storm: 1000 keys that come again as often as they are told to ask a dead backend only a few times", async () => {
    const w: Outage = make({}, async (_, { down }) => {
      if (down) await w.clock.after(20)
    })
    const { backend, clock, registry, use } = w
    backend.down = true
    const dueAt = Array.from({ length: 1000 }, (_, key) => key)
    const last = new Map<number, ReturnType<typeof use>>()
    while (clock.now < 8000) {
      for (const [key, at] of dueAt.entries()) {
        if (at > clock.now) continue
        dueAt[key] = Infinity
        last.set(key, use(`k${key}`))
      }
      await clock.advance(5)
      for (const [key, call] of last) {
        if (call.outcome === "pending") continue
        last.delete(key)
        dueAt[key] = call.at + Number(fieldOf(call, "retryAfter"))
      }
    }
    // Those that were under way when the twentieth failed, and then one for each pause.
    expect(backend.asked).toBeLessThan(60)
    expect(backend.asked).toBeGreaterThan(22)
    expect(registry.sessions.size).toBeLessThan(60)
  })
})
