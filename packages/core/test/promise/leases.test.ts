import { describe, expect, test } from "vitest"
import { createSessionsWith } from "../../src/face/createSessions.ts"
import { liveRegistries } from "../../src/registry/process.ts"
import { gate, outcomeOf, world, worldOf } from "../support/ledger.ts"
import { settle, VirtualClock } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

describe("L8: leases of the Promise face", () => {
  test("L8: a lease whose stream flows, or is queued, is busy; its silence begins when the stream has ended", async () => {
    const { clock, sessions } = world({ timeouts: { lease: 1000, stall: 100_000 } })
    const lease = await sessions.lease("a")
    const held = gate()
    const before = sessions.run("a", () => held.promise)
    const next = [gate<string>(), gate<string>()]
    const stream = lease.stream(async function* () {
      for (const one of next) yield await one.promise
    })
    const reading = stream[Symbol.asyncIterator]()
    await clock.advance(5000)
    held.open()
    await before
    const first = reading.next()
    await clock.advance(5000)
    next[0]?.open("x")
    expect(await first).toEqual({ done: false, value: "x" })
    await clock.advance(5000)
    expect(lease.signal.aborted).toBe(false)
    next[1]?.open("y")
    await reading.next()
    await reading.next()
    await clock.advance(999)
    expect(lease.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(lease.signal.aborted).toBe(true)
    await expect(lease.stream(() => [] as never).started).rejects.toMatchObject({ reason: "LeaseEnded" })
  })

  test("L20: when a generation ends, a lease's holder is told after the step, with everything else already decided", async () => {
    const { sessions } = world()
    const lease = await sessions.lease("a")
    const running = sessions.run("a", (_, { signal }) => stopped(signal), { name: "turn" })
    await settle()
    const seen: Array<unknown> = []
    lease.signal.addEventListener("abort", () => {
      const { state, tasks } = sessions.explain("a")
      seen.push(state, ...tasks.map((task) => task.state))
    })
    void sessions.close("a")
    expect(await outcomeOf(running)).toBe("TaskStopped Closed")
    expect(seen).toEqual(["Closing", "stopping"])
  })

  test("L8, L17: what the signal of an ended lease gives as its reason", async () => {
    const { sessions } = world()
    const released = await sessions.lease("a")
    await released.release()
    expect(released.signal.reason).toMatchObject({ _tag: "SessionRefused", reason: "LeaseEnded" })
    const draining = await sessions.lease("a")
    void sessions.drain({ finishWithin: 1000 })
    await settle()
    expect(draining.signal.reason).toMatchObject({ _tag: "SessionRefused", reason: "Draining" })
  })
})

describe("L14, L24: ends that are asked for", () => {
  test("L24: a close while an eager rebuild is waited for ends that, too: nothing opens for nobody", async () => {
    const { clock, ledger, sessions } = world({ restart: { eager: true, delay: 3000 } })
    for (let loss = 0; loss < 2; loss++) {
      await sessions.run("a", (_, task) => task.broken("dead"))
      await settle()
    }
    expect(sessions.explain("a").state).toBe("Backoff")
    expect(await sessions.close("a")).toBeUndefined()
    expect(sessions.explain("a").state).toBe("Closed")
    const opened = ledger.opened
    await clock.advance(60_000)
    expect(ledger.opened).toBe(opened)
    expect(sessions.snapshot().sessions).toEqual([])
  })

  test("L14: who drained is no longer listed, and draining it again does not unlist another of its name", async () => {
    const make = () =>
      createSessionsWith({ name: "listed", open: () => 1 }, { clock: new VirtualClock() }).sessions
    const listed = (): ReadonlyArray<unknown> =>
      liveRegistries().filter(({ name }) => name.startsWith("listed"))
    const [first, second] = [make(), make()]
    expect([first.name, second.name]).toEqual(["listed", "listed#2"])
    await first.drain()
    expect(listed()).toEqual([second])
    const third = make()
    expect(third.name).toBe("listed")
    await first.drain()
    await first[Symbol.asyncDispose]()
    expect(listed()).toEqual([second, third])
    await Promise.all([second.drain(), third.drain()])
    expect(listed()).toEqual([])
  })

  test("L14: a stream is told with the rest: its time, then the cut", async () => {
    const { clock, sessions } = worldOf({ name: "streams", open: () => 1 })
    const stream = sessions.stream("a", async function* (_, { signal }) {
      yield 1
      await stopped(signal)
    })
    const seen: Array<unknown> = []
    const reading = watch(
      clock,
      (async () => {
        for await (const element of stream) seen.push(element)
      })(),
    )
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: 1000 }))
    await clock.advance(999)
    expect([seen, reading.outcome]).toEqual([[1], "pending"])
    await clock.advance(1)
    expect(reading).toMatchObject({ outcome: "TaskStopped Drained", at: 1000 })
    expect(draining.outcome).toBe("value [object Object]")
  })
})

const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
  )
