import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { outages } from "../support/outage.ts"
import { expectNothingLeft, fieldOf } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L11, L10: refused for an outage after its generation was lost, a key has no back-off of its own once that is over", async () => {
    const held = gate()
    const w = outages(world)(
      { restart: { delay: 1000 }, timeouts: { open: "1 hour" } },
      async ({ key, generation }) => {
        if (key === "slow") await held.promise
        if (key === "a" && generation > 1) throw new Error("its own")
      },
    )
    const { backend, clock, failures, sessions, use, warnings } = w
    const slow = use("slow")
    const loss = gate()
    const finder = sessions.run("a", (thing) => loss.promise.then(() => thing.opening.broken("dead")))
    await clock.advance(0)
    backend.down = true
    await failures(20)
    const waits = use("a")
    loss.open()
    await finder
    await clock.advance(0)
    expect(waits.outcome).toBe("SessionOpenFailed Failed")
    expect(fieldOf(waits, "retryAfter")).toBe(750)
    // An opening that had begun before ends the outage, long before a trial would have been due.
    backend.down = false
    await clock.advance(10)
    held.open()
    await clock.advance(0)
    expect([slow.outcome, warnings().at(-1)]).toEqual(["value 1", "WarningCleared Outage"])
    expect(sessions.explain("a").restarts.nextAt).toBeUndefined()
    // It is tried at once, and what it fails with now is the first of its row.
    const again = use("a")
    await clock.advance(0)
    expect(again).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 10 })
    expect(fieldOf(again, "cause")).toMatchObject({ message: "its own" })
    expect(fieldOf(again, "retryAfter")).toBe(750)
    await expectNothingLeft(w)
  })
})
