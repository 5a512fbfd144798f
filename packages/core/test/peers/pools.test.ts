/**
 * Where a pool (generic-pool 3.9.0) and a cache (lru-cache 11.5.3) fail those who keep sessions in them, and what a
 * registry does instead. The peers themselves run in `bench/test/peers.test.ts`.
 */
import { describe, expect, test } from "vitest"
import { createSessionsWith } from "../../src/face/createSessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { settle, VirtualClock } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"
import { Alive } from "./Alive.ts"

const serialOf = (thing: Thing): number => thing.serial

// generic-pool: 452 creates in 500 ms, and the caller still waits.
describe.each(faces)("$face: a factory that always fails", ({ world }) => {
  test("L10: its caller is told at once, after one open, and when to come back", async () => {
    const { clock, sessions, story } = world({}, () => {
      throw new Error("no database")
    })
    const call = watch(clock, sessions.run("a", serialOf))
    await settle()
    expect([call.outcome, call.at]).toEqual(["SessionOpenFailed Failed", 0])
    expect(fieldOf(call, "retryAfter")).toBe(75)
    await clock.advance(500)
    expect(story().filter((line) => line === "Opening")).toHaveLength(1)
  })

  test("L10: three callers who ask again whenever they are told cannot make it hot: 3 opens in 500 ms, 21 in 5 minutes", async () => {
    const opens: Array<number> = []
    const clock = new VirtualClock()
    const { sessions } = world(
      {},
      () => {
        opens.push(clock.now)
        throw new Error("no database")
      },
      clock,
    )
    const end = 5 * 60_000
    let told = 0
    const hot = async (): Promise<void> => {
      while (clock.now < end) {
        await sessions.run("a", serialOf).catch(() => told++)
        await clock.after(20)
      }
    }
    const callers = [hot(), hot(), hot()]
    await clock.advance(500)
    expect(opens).toEqual([0, 75, 225])
    await clock.advance(end)
    await Promise.all(callers)
    expect(opens.filter((at) => at <= end)).toHaveLength(21)
    // While the back-off is longer than anybody waits for a seat, each is told so at once.
    expect(told).toBeGreaterThan(10_000)
  })
})

test("L10: the back-off is jittered, so that processes which failed together do not come back together", async () => {
  const nextOpen = async (random: number): Promise<number | undefined> => {
    const clock = new VirtualClock()
    const opens: Array<number> = []
    const { sessions } = createSessionsWith(
      {
        name: "jittered",
        open: () => {
          opens.push(clock.now)
          throw new Error("no database")
        },
      },
      { clock, random: () => random },
    )
    const ask = (): Watched =>
      watch(
        clock,
        sessions.run("a", () => 1),
      )
    ask()
    await settle()
    ask()
    await clock.advance(1000)
    return opens[1]
  }
  expect([await nextOpen(0), await nextOpen(0.5), await nextOpen(0.999)]).toEqual([
    50,
    75,
    expect.closeTo(100, 0),
  ])
})

// lru-cache with max 1 and a dispose that takes its time: 3 alive, and the value in use evicted.
describe.each(faces)("$face: one place, and letting go takes time", ({ world }) => {
  test("L9, L3: never more than maxSessions alive, counting those that are being closed", async () => {
    const alive = new Alive()
    const clock = new VirtualClock()
    const w = world(
      { maxSessions: 1 },
      alive.counting(() => clock.after(100)),
      clock,
    )
    const calls = ["a", "b", "c", "a"].map((key) => watch(clock, w.sessions.run(key, serialOf)))
    await clock.advance(1000)
    expect(calls.map(({ outcome, at }) => [outcome, at])).toEqual([
      ["value 1", 0],
      ["value 2", 100],
      ["value 3", 200],
      ["value 1", 0],
    ])
    expect([alive.built, alive.most]).toEqual([3, 1])
    await expectNothingLeft(w)
  })

  test("L8, L9: what is in use is never evicted: the next key waits for its turn's end", async () => {
    const alive = new Alive()
    const clock = new VirtualClock()
    const w = world(
      { maxSessions: 1 },
      alive.counting(() => clock.after(100)),
      clock,
    )
    const held = gate()
    const user = watch(
      clock,
      w.sessions.run("a", async (thing) => {
        await held.promise
        return `${thing.serial} of ${alive.now}`
      }),
    )
    await settle()
    const next = watch(clock, w.sessions.run("b", serialOf))
    await clock.advance(4000)
    expect([user.outcome, next.outcome, alive.now]).toEqual(["pending", "pending", 1])
    held.open()
    await clock.advance(100)
    expect([user.outcome, next.outcome, next.at]).toEqual(["value 1 of 1", "value 2", 4100])
    expect(alive.most).toBe(1)
    await expectNothingLeft(w)
  })

  test("L9, L17: nobody waits for ever for what is in use: refused, with a reason, and the user goes on", async () => {
    const w = world({ maxSessions: 1, timeouts: { seat: 5000 } })
    const { clock, sessions } = w
    const held = gate()
    const user = watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    await settle()
    const next = watch(clock, sessions.run("b", serialOf))
    await clock.advance(5000)
    expect([next.outcome, next.at, user.outcome]).toEqual(["SessionRefused MaxSessions", 5000, "pending"])
    held.open()
    await settle()
    expect(user.outcome).toBe("value undefined")
    await expectNothingLeft(w)
  })
})
