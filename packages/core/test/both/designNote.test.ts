/** What the design note this project comes from asked its own tests to show, in its order. */
import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { settle } from "../support/VirtualClock.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L1: created once and reused", async () => {
    const { ledger, sessions } = world()
    for (let use = 0; use < 10; use++) await sessions.run("a", (thing) => thing.serial)
    expect(ledger.lines).toEqual(["open a#1"])
  })

  test("L1, L6: several operations at once share it", async () => {
    const { clock, ledger, sessions } = world({ concurrency: 3 })
    const running = [1, 2, 3].map((n) =>
      sessions.run("a", async (thing) => {
        await clock.after(n * 10)
        return thing.serial
      }),
    )
    await clock.advance(30)
    expect(await Promise.all(running)).toEqual([1, 1, 1])
    expect(ledger.opened).toBe(1)
  })

  test("L1: none is created needlessly: not by looking, cancelling, closing, nor by a call that was given up before", async () => {
    const { ledger, registry, sessions } = world()
    const left = AbortSignal.abort(new Error("left before"))
    sessions.at("a")
    sessions.explain("a")
    sessions.snapshot()
    expect(await sessions.cancel("a")).toBe(0)
    expect(await sessions.close("a")).toBeUndefined()
    expect(await sessions.restart("a")).toBeUndefined()
    await expect(sessions.run("a", () => 1, { signal: left })).rejects.toThrow("left before")
    await expect(sessions.run("a", () => 1, { mustExist: true })).rejects.toMatchObject({
      reason: "NotFound",
    })
    expect(ledger.opened).toBe(0)
    expect(registry.sessions.size).toBe(0)
  })

  test("L4, L24: cleanup stops what is pending, releases, and forgets", async () => {
    const { ledger, registry, sessions } = world()
    const pending = sessions.run(
      "a",
      (_thing, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(new Error("stopped"))),
        ),
    )
    pending.catch(() => {})
    await settle()
    expect(await sessions.close("a")).toMatchObject({ reason: "Requested", leaked: false, errors: [] })
    await expect(pending).rejects.toMatchObject({ _tag: "TaskStopped", reason: "Closed", started: true })
    expect(ledger.lines).toEqual(["open a#1", "release a#1"])
    expect(registry.sessions.size).toBe(0)
  })

  test("L24: a new one is made after the cleanup", async () => {
    const { ledger, sessions } = world()
    await sessions.run("a", () => 1)
    await sessions.close("a")
    expect(await sessions.run("a", (thing) => thing.serial)).toBe(2)
    expect(ledger.lines).toEqual(["open a#1", "release a#1", "open a#2"])
  })
})
