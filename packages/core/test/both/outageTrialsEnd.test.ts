import { describe, expect, test } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { outages, type Outage } from "../support/outage.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

/** Hangs until it is told to stop. */
const stopped = ({ signal }: Opening): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("given up"))))

describe.each(faces)("$face", ({ world }) => {
  const make = outages(world)
  const began = async (...setup: Parameters<typeof make>): Promise<Outage> => {
    const w = make(...setup)
    w.backend.down = true
    await w.failures(20)
    expect(w.warnings()).toEqual(["WarningRaised Outage"])
    return w
  }

  test("L11: a trial that its callers give up decides nothing: the next who comes tries at once", async () => {
    const w = await began({}, (opening) => (opening.key === "leaver" ? stopped(opening) : undefined))
    const { backend, clock, sessions, use, warnings } = w
    await clock.advance(750)
    const leaves = watch(
      clock,
      sessions.run("leaver", () => {}, { timeout: 100 }),
    )
    await clock.advance(50)
    const meanwhile = use("meanwhile")
    await clock.advance(50)
    expect([leaves.outcome, meanwhile.outcome]).toEqual(["TaskStopped Timeout", "SessionOpenFailed Failed"])
    backend.down = false
    const next = use("next")
    await clock.advance(0)
    expect(next).toMatchObject({ outcome: "value 22", at: 850 })
    expect(warnings().at(-1)).toBe("WarningCleared Outage")
    await expectNothingLeft(w)
  })

  test("L11, L9: a trial that waits for a seat and does not get one lets another try", async () => {
    for (const leaves of ["in time", "by itself"] as const) {
      const w = make({ maxPerOwner: 1, timeouts: { seat: 1000 } })
      const { backend, clock, failures, sessions, use, warnings } = w
      const held = gate()
      watch(
        clock,
        sessions.run({ owner: "alice", id: "1" }, () => held.promise),
      )
      await clock.advance(0)
      backend.down = true
      await failures(20)
      await clock.advance(750)
      const timeout = leaves === "by itself" ? 1000 : undefined
      const trial = watch(
        clock,
        sessions.run({ owner: "alice", id: "2" }, () => {}, { timeout }),
      )
      await clock.advance(500)
      const meanwhile = use("meanwhile")
      await clock.advance(500)
      expect(trial.outcome).toBe(
        leaves === "by itself" ? "TaskStopped Timeout" : "SessionRefused MaxPerOwner",
      )
      expect(meanwhile.outcome).toMatch(/SessionOpenFailed|value/)
      backend.down = false
      const next = use("next")
      await clock.advance(0)
      expect(next.outcome).toContain("value")
      expect(warnings().at(-1)).toBe("WarningCleared Outage")
      held.open()
      await expectNothingLeft(w)
    }
  })

  test("L11: a trial that is closed, or hangs until its deadline, does not keep the others out for ever", async () => {
    const w = await began({ timeouts: { open: 2000 } }, ({ key }) =>
      key.startsWith("hangs") ? new Promise(() => {}) : undefined,
    )
    const { backend, clock, sessions, use } = w
    await clock.advance(750)
    const closes = use("hangs 1")
    await clock.advance(10)
    void sessions.close("hangs 1")
    await clock.advance(0)
    expect(closes.outcome).toBe("SessionRefused Closed")
    const hangs = use("hangs 2")
    await clock.advance(2000)
    expect(hangs.outcome).toBe("SessionOpenFailed TimedOut")
    const refused = use("new")
    await clock.advance(0)
    expect(fieldOf(refused, "retryAfter")).toBe(1500)
    backend.down = false
    await clock.advance(1500)
    const well = use("new")
    await clock.advance(0)
    expect(well.outcome).toContain("value")
  })
})
