import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { leaking } from "../support/leaking.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectReleasedOnce, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = leaking(world)

  test("L14: a drain ends although a key is shut; who waits for it is told, and its real end opens nothing", async () => {
    const { clock, ends, ledger, registry, sessions, use } = make({ onLeak: "wait" })
    await use().promise
    void sessions.restart("a")
    await clock.advance(300)
    const waits = use()
    const drained = watch(clock, sessions.drain())
    await clock.advance(0)
    expect(waits).toMatchObject({ outcome: "SessionRefused Draining", at: 300 })
    // It had leaked before the drain began: the report names what leaked in it.
    expect(drained).toMatchObject({ value: { closed: 0, leaked: [] }, at: 300 })
    expect(sessions.snapshot()).toMatchObject({ phase: "drained", counts: { leaked: 1 } })
    ends(1)
    await clock.advance(0)
    expect(ledger.opened).toBe(1)
    expect(sessions.snapshot().counts).toMatchObject({ leaked: 0, Restarting: 0, Closing: 0 })
    expect(registry.sessions.size).toBe(0)
    expectReleasedOnce(ledger)
  })

  test("L14: what leaks in a drain is in its report, and ends it; the real end comes while others still close", async () => {
    const w = make({ onLeak: "wait", timeouts: { close: 300, grace: 5000 } })
    const { clock, ends, ledger, sessions, use } = w
    await use("a").promise
    const busy = watch(
      clock,
      sessions.run("b", () => clock.after(2000)),
    )
    await settle()
    const drained = watch(clock, sessions.drain())
    await clock.advance(1000)
    expect(sessions.snapshot()).toMatchObject({ phase: "draining", counts: { leaked: 1, Closing: 1 } })
    ends(1)
    await clock.advance(0)
    expect(sessions.snapshot()).toMatchObject({ phase: "draining", counts: { leaked: 0, Closing: 0 } })
    await clock.advance(1300)
    expect(busy.outcome).toBe("value undefined")
    expect(drained).toMatchObject({
      value: { finished: 1, cut: [], closed: 2, leaked: [{ key: "a", serial: 1 }, { key: "b" }] },
      at: 2300,
    })
    ends(2)
    await settle()
    expectReleasedOnce(ledger)
  })

  test("L14, L22: in a drain a turn's own call waits for a shut key, and is served at its real end", async () => {
    const w = make({ onLeak: "wait" })
    const { clock, ends, sessions, use } = w
    await use("shut").promise
    void sessions.restart("shut")
    await clock.advance(300)
    const outer = watch(
      clock,
      sessions.run("b", () => sessions.run("shut", (thing) => thing.serial)),
    )
    await settle()
    const drained = watch(clock, sessions.drain())
    await clock.advance(1000)
    expect([outer.outcome, drained.outcome]).toEqual(["pending", "pending"])
    ends(1)
    await clock.advance(0)
    expect(outer.outcome).toBe("value 3")
    ends(2)
    ends(3)
    await clock.advance(0)
    expect(drained.value).toMatchObject({ finished: 2, cut: [] })
  })

  test("L14, L22: the same from a turn of another registry: the drain does not end over its waiting call", async () => {
    const w = make({ onLeak: "wait" })
    const { clock, ends, ledger, sessions, use } = w
    const other = world({}, undefined, clock)
    await use("shut").promise
    void sessions.restart("shut")
    await clock.advance(300)
    const outer = watch(
      clock,
      other.sessions.run("b", () => sessions.run("shut", (thing) => thing.serial)),
    )
    await settle()
    const drained = watch(clock, sessions.drain())
    await clock.advance(1000)
    // Served until the cut: nobody is left waiting in a registry that says it is drained.
    expect([outer.outcome, drained.outcome]).toEqual(["pending", "pending"])
    await clock.advance(9000)
    expect(outer.outcome).toBe("SessionRefused Draining")
    expect(drained).toMatchObject({ at: 10_300 })
    expect(sessions.snapshot().counts.queued).toBe(0)
    ends(1)
    await clock.advance(1000)
    expect(ledger.opened).toBe(1)
  })
})
