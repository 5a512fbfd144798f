import { describe, expect, test } from "vitest"
import { collect } from "../support/collect.ts"
import { gate } from "../support/ledger.ts"
import { settle, VirtualClock } from "../support/VirtualClock.ts"
import { createSessionsWith } from "../../src/face/createSessions.ts"
import { watch } from "../support/watch.ts"

const counters = () => {
  const clock = new VirtualClock()
  const { sessions } = createSessionsWith(
    {
      name: "counters",
      open: ({ key }) => ({ key, count: 0 }),
      handlers: {
        add: (counter, by: number) => (counter.count += by),
        read: (counter) => counter.count,
        slow: async (counter, held: Promise<void>, task) => {
          await held
          return `${task.name} of ${counter.key}`
        },
      },
      streams: {
        async *upTo(_, end: number) {
          for (let n = 1; n <= end; n++) yield n
        },
      },
    },
    { clock },
  )
  return { clock, sessions }
}

describe("call", () => {
  test("L2, L6: a declared handler is a turn: named after it, in order with all others", async () => {
    const { clock, sessions } = counters()
    const held = gate()
    const call = sessions.call("a")
    const slow = watch(clock, call.slow(held.promise))
    const added = watch(clock, call.add(2))
    const read = watch(
      clock,
      sessions.run("a", (counter) => counter.count),
    )
    await settle()
    expect(sessions.explain("a").tasks.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "slow running",
      "add queued",
      "run queued",
    ])
    held.open()
    await clock.advance(0)
    expect([slow, added, read].map((one) => one.outcome)).toEqual(["value slow of a", "value 2", "value 2"])
  })

  test("L2: its functions may be taken off it, and take the options of `run`", async () => {
    const { clock, sessions } = counters()
    const { add, read, slow } = sessions.call("a")
    const held = gate()
    const busy = slow(held.promise)
    await settle()
    const refused = watch(clock, add(1, { whenBusy: "reject" }))
    expect(await read(undefined, { whenBusy: "overlap", name: "look" })).toBe(0)
    const gone = watch(clock, add(1, { signal: AbortSignal.abort(new Error("gone")) }))
    await settle()
    expect([refused.outcome, gone.outcome]).toEqual(["SessionRefused Busy", "error gone"])
    held.open()
    await busy
    expect(await read()).toBe(0)
  })

  test("L2: a declared stream is one; from a handle and from a lease as well", async () => {
    const { sessions } = counters()
    expect(await collect(sessions.call("a").upTo(3))).toEqual([1, 2, 3])
    expect(await collect(sessions.at("a").call.upTo(2))).toEqual([1, 2])
    const lease = await sessions.lease("a")
    expect(await lease.call.add(5)).toBe(5)
    expect(await collect(lease.call.upTo(1))).toEqual([1])
    await lease.release()
    await expect(lease.call.add(5)).rejects.toMatchObject({ reason: "LeaseEnded" })
    await expect(lease.call.upTo(1).started).rejects.toMatchObject({ reason: "LeaseEnded" })
  })

  test("L7: a handler that calls its own session is refused", async () => {
    const { sessions } = counters()
    const nested = sessions.run("a", () => sessions.call("a").read())
    await expect(nested).rejects.toMatchObject({ reason: "ReentrantRun" })
  })
})
