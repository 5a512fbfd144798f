import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L1: 100 first users of one key share one open; one that leaves disturbs nobody", async () => {
    const held = gate()
    const { clock, ledger, sessions } = world({ maxQueued: 100 }, () => held.promise)
    const leaves = new AbortController()
    const calls = Array.from({ length: 100 }, (_, index) =>
      watch(
        clock,
        sessions.run("a", (thing) => thing.serial, index === 50 ? { signal: leaves.signal } : {}),
      ),
    )
    await settle()
    leaves.abort(new Error("gone"))
    await settle()
    expect(calls.filter((call) => call.outcome === "error gone")).toHaveLength(1)
    held.open()
    await settle()
    expect(calls.filter((call) => call.outcome === "value 1")).toHaveLength(99)
    expect(ledger.lines).toEqual(["open a#1"])
  })

  test("L1: the caller's timeout covers the open; when the last has timed out it never becomes ready", async () => {
    const w: World<Thing> = world({}, () => w.clock.after(400))
    const { clock, sessions, story } = w
    const [first, second] = [100, 300].map((timeout) =>
      watch(
        clock,
        sessions.run("a", () => 1, { timeout }),
      ),
    )
    await clock.advance(299)
    expect(first).toMatchObject({ outcome: "TaskStopped Timeout", at: 100 })
    expect(sessions.explain("a").state).toBe("Opening")
    await clock.advance(1)
    expect(second).toMatchObject({ outcome: "TaskStopped Timeout", at: 300 })
    expect(sessions.explain("a").state).toBe("Closing")
    await clock.advance(1000)
    expect(sessions.explain("a").state).toBe("Closed")
    expect(story()).toEqual(["Opening", "Closed OpenCancelled"])
    await expectNothingLeft(w)
  })

  test("L1: cancelled and succeeded in the same tick: the cancel came first, so it is not served", async () => {
    const held = gate()
    const { clock, ledger, sessions, story } = world({}, () => held.promise)
    const leaves = new AbortController()
    const call = watch(
      clock,
      sessions.run("a", () => 1, { signal: leaves.signal }),
    )
    await settle()
    leaves.abort(new Error("gone"))
    held.open()
    await clock.advance(0)
    expect(call.outcome).toBe("error gone")
    expect(story()).not.toContain("Opened")
    expect(ledger.live).toBe(0)
  })

  test("L1: succeeded before the cancel: ready, idle, and it serves the next use", async () => {
    const { clock, ledger, sessions } = world()
    const leaves = new AbortController()
    const call = watch(
      clock,
      sessions.run(
        "a",
        (_, task) => new Promise((resolve) => task.signal.addEventListener("abort", resolve)),
        {
          signal: leaves.signal,
        },
      ),
    )
    await settle()
    leaves.abort(new Error("gone"))
    await settle()
    expect(call.outcome).toBe("error gone")
    expect(sessions.explain("a")).toMatchObject({ state: "Ready", alive: [] })
    expect(await sessions.run("a", (thing) => thing.serial)).toBe(1)
    expect(ledger.lines).toEqual(["open a#1"])
  })

  test("L1, L3: a waiter that joins during the abort is served by the next open, also when the aborted one throws", async () => {
    const held = gate()
    const { clock, ledger, sessions, story } = world({}, ({ generation }) =>
      generation === 1 ? held.promise : undefined,
    )
    const leaves = new AbortController()
    const first = watch(
      clock,
      sessions.run("a", () => 1, { signal: leaves.signal }),
    )
    await settle()
    leaves.abort(new Error("gone"))
    const second = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await settle()
    expect(first.outcome).toBe("error gone")
    expect(second.outcome).toBe("pending")
    held.fail(new Error("aborted"))
    await clock.advance(0)
    // Told to stop, it has not failed: nothing is held against the key and nobody waits.
    expect(second).toMatchObject({ outcome: "value 2", at: 0 })
    expect(story()).toEqual(["Opening", "Closed OpenCancelled", "Opening", "Opened"])
    expect(ledger.lines).toEqual(["open a#2"])
  })

  test("L1, L20: a caller that leaves in the very tick of its call leaves nothing behind", async () => {
    const w = world()
    const leaves = new AbortController()
    const call = watch(
      w.clock,
      w.sessions.run("a", () => 1, { signal: leaves.signal }),
    )
    leaves.abort(new Error("gone"))
    await w.clock.advance(10_000)
    expect(call.outcome).toBe("error gone")
    expect(w.sessions.explain("a").state).toBe("Closed")
    await expectNothingLeft(w)
  })

  test("L1: a lease request is a waiter too: the last one leaving gives the open up", async () => {
    const held = gate()
    const { clock, sessions, story } = world({}, () => held.promise)
    const leaves = new AbortController()
    const lease = watch(clock, sessions.lease("a", { signal: leaves.signal }))
    const run = watch(
      clock,
      sessions.run("a", () => 1, { timeout: 10 }),
    )
    await clock.advance(10)
    expect(run.outcome).toBe("TaskStopped Timeout")
    expect(sessions.explain("a").state).toBe("Opening")
    leaves.abort(new Error("gone"))
    await settle()
    expect(lease.outcome).toBe("error gone")
    held.open()
    await clock.advance(0)
    expect(story()).toEqual(["Opening", "Closed OpenCancelled"])
  })

  test("L1: with an eager restart too, a first open that nobody waits for any more is told to stop", async () => {
    const held = gate()
    const { clock, sessions, story } = world({ restart: { eager: true } }, () => held.promise)
    const leaves = new AbortController()
    const call = watch(
      clock,
      sessions.run("a", () => 1, { signal: leaves.signal }),
    )
    await settle()
    leaves.abort(new Error("gone"))
    held.open()
    await clock.advance(0)
    expect(call.outcome).toBe("error gone")
    expect(story()).toEqual(["Opening", "Closed OpenCancelled"])
  })

  test("L13, L10: an open past its deadline is told to all who wait; what it acquires late is released before the next open", async () => {
    const w: World<Thing> = world({ timeouts: { open: 1000 } }, ({ generation }) =>
      generation === 1 ? w.clock.after(3000) : undefined,
    )
    const { clock, ledger, sessions, story } = w
    const calls = [1, 2].map((value) =>
      watch(
        clock,
        sessions.run("a", () => value),
      ),
    )
    await clock.advance(1000)
    for (const call of calls) expect(call).toMatchObject({ outcome: "SessionOpenFailed TimedOut", at: 1000 })
    const next = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await clock.advance(1999)
    expect(next.outcome).toBe("pending")
    await clock.advance(1)
    expect(next).toMatchObject({ outcome: "value 2", at: 3000 })
    // An interrupted layer has acquired nothing; a promise cannot be stopped, so what it gives is released.
    expect(ledger.lines.at(-1)).toBe("open a#2")
    expect(ledger.live).toBe(1)
    expect(ledger.mostOfOneKey).toBe(1)
    expect(story()).toEqual(["Opening", "OpenFailed", "Closed OpenFailed", "Opening", "Opened"])
    await expectNothingLeft(w)
  })
})
