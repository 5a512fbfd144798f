import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { leaking } from "../support/leaking.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = leaking(world)

  test("L13, L3: an abandoned turn keeps its key shut as well, until it has ended", async () => {
    const w = make({ onLeak: "wait", timeouts: { grace: 100, close: 300 } }, false)
    const { clock, ledger, sessions, story, use } = w
    const hung = watch(
      clock,
      sessions.run("a", () => clock.after(5000)),
    )
    await settle()
    const restarted = watch(clock, sessions.restart("a"))
    const next = use()
    await clock.advance(400)
    expect(hung).toMatchObject({ outcome: "TaskStopped Restarted", at: 100 })
    expect(restarted).toMatchObject({ value: { leaked: true }, at: 400 })
    // The resource itself is released; only the turn still runs.
    expect([ledger.live, next.outcome]).toEqual([0, "pending"])
    await clock.advance(4600)
    expect(next).toMatchObject({ outcome: "value 2", at: 5000 })
    expect(story()).toContain("LeakEnded")
    await expectNothingLeft(w)
  })

  test("L13: an opening that will not end keeps its key shut, and what it opens in the end is not served", async () => {
    const w = make({ onLeak: "wait", timeouts: { open: 1000, close: 300 } }, false, ({ serial: number }) =>
      number === 1 ? w.clock.after(20_000) : undefined,
    )
    const { clock, ledger, use } = w
    const failed = use()
    await clock.advance(1000)
    expect(failed.outcome).toBe("SessionOpenFailed TimedOut")
    await clock.advance(10_000)
    const next = use()
    await clock.advance(8_999)
    expect([next.outcome, ledger.opened]).toEqual(["pending", 0])
    await clock.advance(1)
    expect(next.outcome).toBe("value 2")
    expect(ledger.mostOfOneKey).toBe(1)
    await expectNothingLeft(w)
  })

  test("L11: a key that is shut and then quarantined: refused from the loss on, the quarantine begins at the real end", async () => {
    const w = make({ onLeak: "wait", restart: { times: 0, quarantine: 1000 } })
    const { clock, ends, registry, sessions, story, use } = w
    await use().promise
    const waiter = watch(
      clock,
      sessions.run("a", (thing) => clock.after(10).then(() => thing.opening.broken("dead"))),
    )
    await settle()
    const queued = use()
    await clock.advance(310)
    expect([waiter.outcome, queued.outcome]).toEqual(["value undefined", "SessionRefused Quarantined"])
    await clock.advance(5000)
    const meanwhile = use()
    await clock.advance(0)
    expect(meanwhile.outcome).toBe("SessionRefused Quarantined")
    expect(fieldOf(meanwhile, "retryAfter")).toBe(1000)
    expect(story().includes("Quarantined")).toBe(false)
    ends(1)
    await clock.advance(0)
    expect(sessions.explain("a")).toMatchObject({ state: "Quarantined", restarts: { nextAt: 6310 } })
    expect(registry.seats.taken).toBe(0)
    await clock.advance(1000)
    expect((await use().promise) as number).toBe(2)
    ends(2)
    await expectNothingLeft(w)
  })
})
