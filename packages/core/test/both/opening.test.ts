import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L1: 60 first users of one key share one open, and later uses reuse it", async () => {
    const { ledger, sessions } = world()
    const serials = await Promise.all(
      Array.from({ length: 60 }, () => sessions.run("a", (thing) => thing.serial)),
    )
    expect(new Set(serials)).toEqual(new Set([1]))
    expect(await sessions.run("a", (thing) => thing.serial)).toBe(1)
    expect(ledger.lines).toEqual(["open a#1"])
  })

  test("L1: the last waiter leaves, so the open is told to stop, nothing is served, and the key reads Closed", async () => {
    const held = gate()
    const signals: Array<AbortSignal> = []
    const { clock, ledger, sessions, story } = world({}, (opening) => {
      signals.push(opening.signal)
      return held.promise
    })
    const [first, second] = [new AbortController(), new AbortController()]
    const a = sessions.run("a", () => 1, { signal: first.signal })
    const b = sessions.run("a", () => 2, { signal: second.signal })
    await settle()
    first.abort("gone")
    expect(await outcomeOf(a)).toBe("error gone")
    await settle()
    expect(signals[0]?.aborted).toBe(false)
    second.abort("gone too")
    expect(await outcomeOf(b)).toBe("error gone too")
    await settle()
    expect(signals[0]?.aborted).toBe(true)
    held.open()
    await clock.advance(0)
    expect(sessions.explain("a").state).toBe("Closed")
    expect(story()).toEqual(["Opening", "Closed OpenCancelled"])
    expect(ledger.live).toBe(0)
  })

  test("L1: an aborted open that succeeds late is released before the second open, which serves the new waiter", async () => {
    const held = gate()
    const { ledger, sessions } = world({}, (opening) => (opening.generation === 1 ? held.promise : undefined))
    const gone = new AbortController()
    const a = sessions.run("a", () => 1, { signal: gone.signal })
    await settle()
    gone.abort("gone")
    expect(await outcomeOf(a)).toBe("error gone")
    const b = sessions.run("a", (thing) => thing.serial)
    await settle()
    expect(await outcomeOf(b)).toBe("pending")
    held.open()
    expect(await b).toBe(2)
    // A layer that is interrupted in time acquires nothing; a promise cannot be stopped, so it is released.
    expect(ledger.lines.filter((line) => line !== "open a#1" && line !== "release a#1")).toEqual(["open a#2"])
    expect(ledger.live).toBe(1)
    expect(ledger.mostOfOneKey).toBe(1)
  })
})
