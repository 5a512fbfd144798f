import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  test("L8: idle counts from the end of the last use, not from its start, and never early", async () => {
    const { clock, sessions, story } = world({ idleTimeout: 1000 })
    const held = gate()
    const running = sessions.run("a", () => held.promise)
    await clock.advance(5000)
    expect(sessions.explain("a").closesAt).toBeUndefined()
    held.open()
    await running
    expect(sessions.explain("a").closesAt).toBe(6000)
    await clock.advance(900)
    expect(await sessions.run("a", serialOf)).toBe(1)
    await clock.advance(999)
    expect(story()).not.toContain("Closing Idle")
    await clock.advance(1)
    expect(story()).toEqual(["Opening", "Opened", "Closing Idle", "Closed Idle"])
    expect(sessions.explain("a").ended).toEqual({ at: 6900, reason: "Idle" })
  })

  test("L8: what runs is in use, also when its caller was told long ago", async () => {
    const { clock, sessions, story } = world({ idleTimeout: 1000, timeouts: { silence: 60_000 } })
    const held = gate()
    const gone = new AbortController()
    const left = watch(
      clock,
      sessions.run("a", () => held.promise, { signal: gone.signal }),
    )
    await clock.advance(10)
    gone.abort(new Error("left"))
    await clock.advance(5000)
    expect(left).toMatchObject({ outcome: "error left", at: 10 })
    expect(story()).not.toContain("Closing Idle")
    held.open()
    await clock.advance(999)
    expect(sessions.explain("a").state).toBe("Ready")
    await clock.advance(1)
    expect(sessions.explain("a").state).toBe("Closed")
  })

  test("L8: what is waited for is not idle, and a waiter that leaves does not make it so while work goes on", async () => {
    const { clock, sessions, story } = world({
      idleTimeout: 1000,
      timeouts: { silence: 60_000, grace: 30_000 },
    })
    const held = gate()
    const gone = new AbortController()
    const left = watch(
      clock,
      sessions.run("a", () => held.promise, { signal: gone.signal }),
    )
    await settle()
    gone.abort(new Error("left"))
    const waiting = watch(clock, sessions.run("a", serialOf, { timeout: 3000 }))
    await clock.advance(4000)
    expect([left.outcome, waiting.outcome, waiting.at]).toEqual(["error left", "TaskStopped Timeout", 3000])
    held.open()
    await clock.advance(999)
    expect(story()).not.toContain("Closing Idle")
    await clock.advance(1)
    expect(story()).toContain("Closing Idle")
  })

  test("L23, L8: a use in the very tick in which the idle time is over loses nothing", async () => {
    const { clock, ledger, sessions } = world({ idleTimeout: 1000 })
    expect(await sessions.run("a", serialOf)).toBe(1)
    const late = clock.after(1000).then(() => sessions.run("a", serialOf))
    await clock.advance(1000)
    const serial = await late
    expect([1, 2]).toContain(serial)
    expect(ledger.opened).toBe(serial)
    expect(ledger.mostOfOneKey).toBe(1)
  })

  test("L23: a use one step before the idle time is over is served by the same generation", async () => {
    const { clock, sessions } = world({ idleTimeout: 1000 })
    await sessions.run("a", serialOf)
    const late = clock.after(1000).then(() => sessions.run("a", serialOf))
    const held = gate()
    await clock.advance(500)
    const running = sessions.run("a", () => held.promise)
    await clock.advance(500)
    held.open()
    await running
    expect(await late).toBe(1)
  })

  test("L8: an idle time of nothing closes after each use and keeps no waiter out", async () => {
    const { clock, ledger, sessions } = world({ idleTimeout: 0 })
    const both = [sessions.run("a", serialOf), sessions.run("a", serialOf)]
    expect(await Promise.all(both)).toEqual([1, 1])
    await clock.advance(1)
    expect(sessions.explain("a").state).toBe("Closed")
    expect(await sessions.run("a", serialOf)).toBe(2)
    await clock.advance(1)
    expect(ledger.live).toBe(0)
  })

  test("L8: without an idle time a session stays, however long", async () => {
    const { clock, sessions } = world({ idleTimeout: "Infinity" })
    await sessions.run("a", serialOf)
    await clock.advance(1e12)
    expect(await sessions.run("a", serialOf)).toBe(1)
    expect(sessions.explain("a").closesAt).toBeUndefined()
  })

  test("L8: every idle session of a wave is closed, and who comes back meanwhile is served", async () => {
    const { clock, ledger, sessions } = world({ idleTimeout: 1000 })
    const keys = Array.from({ length: 300 }, (_, index) => `k${index}`)
    await Promise.all(keys.map((key) => sessions.run(key, serialOf)))
    const back = clock
      .after(1000)
      .then(() => Promise.all(keys.slice(0, 50).map((key) => sessions.run(key, serialOf))))
    await clock.advance(1100)
    await back
    await clock.advance(1000)
    expect(ledger.live).toBe(0)
    expect(ledger.mostOfOneKey).toBe(1)
    expect(sessions.snapshot().counts).toMatchObject({ Ready: 0, Closing: 0 })
  })

  test("L8: a session that closes for being idle has nobody in it: the next use waits for the end and opens afresh", async () => {
    const closing = gate()
    const { clock, sessions } = world({ idleTimeout: 1000 }, ({ generation, onClose }) => {
      if (generation === 1) onClose(() => closing.promise)
    })
    await sessions.run("a", serialOf)
    await clock.advance(1000)
    expect(sessions.explain("a").state).toBe("Closing")
    const next = sessions.run("a", serialOf)
    expect(await outcomeOf(next)).toBe("pending")
    closing.open()
    await settle()
    expect(await next).toBe(2)
  })
})
