import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { leaking, type Leaking } from "../support/leaking.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = leaking(world)
  /** `count` keys, leak 0, leak 1 …, are opened, closed and abandoned. */
  const leak = async ({ clock, sessions, use }: Leaking, count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      await use(`leak ${index}`).promise
      void sessions.close(`leak ${index}`)
    }
    await clock.advance(300)
    expect(sessions.snapshot().counts.leaked).toBe(count)
  }

  test("L9: as many leaked as maxLeaked: nothing is opened, who waits is refused in time, live sessions go on", async () => {
    const w = make({ maxLeaked: 2, timeouts: { close: 300, seat: 1000 } })
    const { clock, ends, ledger, registry, sessions, use } = w
    await use("live").promise
    await leak(w, 2)
    const opened = ledger.opened
    const refused = [use("leak 0"), use("new")]
    await clock.advance(0)
    expect(sessions.explain("new")).toMatchObject({ state: "Waiting", tasks: [{ waitsFor: "seat" }] })
    await clock.advance(999)
    expect(refused.map(({ outcome }) => outcome)).toEqual(["pending", "pending"])
    await clock.advance(1)
    for (const call of refused) {
      expect(call.outcome).toBe("SessionRefused MaxLeaked")
      expect(fieldOf(call, "retryAfter")).toBeUndefined()
    }
    expect(await use("live").promise).toBe(1)
    expect([ledger.opened, registry.seats.taken]).toEqual([opened, 1])
    // Nobody is evicted for an opening that is not allowed.
    expect(sessions.explain("live").state).toBe("Ready")
    for (const serial of [1, 2, 3]) ends(serial)
    await expectNothingLeft(w)
  })

  test("L9: one below maxLeaked nothing is held back; when one ends, the line is served at once", async () => {
    const w = make({ maxLeaked: 2 })
    const { clock, ends, use } = w
    await leak(w, 1)
    const below = use("b")
    await clock.advance(0)
    expect(below.outcome).toBe("value 2")
    void w.sessions.close("b")
    await clock.advance(300)
    const line = [use("x"), use("y"), use("x")]
    await clock.advance(1000)
    expect(line.map(({ outcome }) => outcome)).toEqual(["pending", "pending", "pending"])
    ends(2)
    await clock.advance(0)
    expect(line.map(({ outcome, at }) => `${outcome} at ${at}`)).toEqual([
      "value 3 at 1600",
      "value 4 at 1600",
      "value 3 at 1600",
    ])
    for (const serial of [1, 3, 4]) ends(serial)
    await expectNothingLeft(w)
  })

  test("L9, L3: a lost generation that leaks to the limit is not replaced: who waits for it joins the line", async () => {
    const w = make({ maxLeaked: 1, timeouts: { close: 300, seat: 1000 } })
    const { clock, ends, ledger, registry, sessions, use } = w
    await use().promise
    void sessions.restart("a")
    const moves = use()
    await clock.advance(300)
    expect(sessions.explain("a")).toMatchObject({ state: "Waiting", tasks: [{ waitsFor: "seat" }] })
    expect([registry.seats.taken, ledger.opened]).toEqual([0, 1])
    await clock.advance(1000)
    expect(moves).toMatchObject({ outcome: "SessionRefused MaxLeaked", at: 1300 })
    const next = use()
    await clock.advance(500)
    ends(1)
    await clock.advance(0)
    expect(next).toMatchObject({ outcome: "value 2", at: 1800 })
    ends(2)
    await expectNothingLeft(w)
  })

  test("L9, L10: a key that backs off while the limit is reached is not opened either", async () => {
    const w: Leaking = make(
      { maxLeaked: 1, restart: { delay: 4000 }, timeouts: { close: 300, seat: 1000 } },
      true,
      ({ key, serial }) => {
        if (key === "a" && serial === 1) throw new Error("no database")
      },
    )
    const { clock, ends, ledger, use } = w
    const failed = use()
    await clock.advance(0)
    expect(failed.outcome).toBe("SessionOpenFailed Failed")
    ends(1)
    await clock.advance(2000)
    const waits = use()
    await clock.advance(0)
    expect(w.sessions.explain("a").state).toBe("Backoff")
    await leak(w, 1)
    const opened = ledger.opened
    await clock.advance(5000)
    expect(ledger.opened).toBe(opened)
    expect(waits.outcome).toBe("SessionRefused MaxLeaked")
    ends(2)
    await expectNothingLeft(w)
  })

  test("L9, L11: eager rebuilding opens nothing beyond the limit; its key is opened on demand then", async () => {
    const w = make({ maxLeaked: 1, restart: { eager: true }, timeouts: { close: 300, seat: 1000 } })
    const { clock, ends, ledger, registry, sessions, use } = w
    await sessions.run("a", (thing) => thing.opening.broken("dead"))
    await clock.advance(2000)
    expect([ledger.opened, registry.seats.taken]).toEqual([1, 0])
    ends(1)
    expect(await use().promise).toBe(2)
    ends(2)
    await expectNothingLeft(w)
  })

  test("L9, L14: a drain does not wait for a line that cannot be served", async () => {
    const w = make({ maxLeaked: 1, timeouts: { close: 300, seat: 60_000 } })
    const { clock, sessions, use } = w
    await leak(w, 1)
    const waits = use("b")
    await settle()
    const drained = watch(clock, sessions.drain())
    await clock.advance(0)
    expect(waits.outcome).toBe("SessionRefused Draining")
    expect(drained.outcome).toBe("value [object Object]")
  })

  test("L9, L3: with onLeak wait a shut key stands in line behind the limit like every other", async () => {
    const w = make({ onLeak: "wait", maxLeaked: 2, timeouts: { close: 300, seat: 1000 } })
    const { clock, ends, ledger, use } = w
    await leak(w, 2)
    // Shut: no line, and no seat clock, until it has ended.
    const shut = use("leak 0")
    const other = use("other")
    await clock.advance(1000)
    expect([shut.outcome, other.outcome]).toEqual(["pending", "SessionRefused MaxLeaked"])
    ends(1)
    await clock.advance(0)
    expect(shut.outcome).toBe("value 3")
    expect(ledger.mostOfOneKey).toBe(1)
    for (const serial of [2, 3]) ends(serial)
    await expectNothingLeft(w)
  })
})
