import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  test.each([
    ["aborts", "error left"],
    ["has no more time", "TaskStopped Timeout"],
  ])(
    "L12, L5: its caller %s after the loss, before its first run has ended: told at once, and not begun again",
    async (how, told) => {
      const w = world({ timeouts: { grace: 1000 } })
      const { clock, ledger, sessions } = w
      const held = gate()
      const leaves = new AbortController()
      const things: Array<Thing> = []
      const left = watch(
        clock,
        sessions.run(
          "a",
          (thing) => {
            things.push(thing)
            return held.promise
          },
          {
            idempotent: true,
            ...(how === "aborts" ? { signal: leaves.signal } : { timeout: 50 }),
          },
        ),
      )
      await settle()
      things[0]?.opening.broken(new Error("lost"))
      // Somebody waits for the next generation, so there will be one.
      const waits = watch(
        clock,
        sessions.run("a", ({ serial }) => serial),
      )
      await clock.advance(49)
      expect(left.outcome).toBe("pending")
      await clock.advance(1)
      leaves.abort(new Error("left"))
      await settle()
      expect(left).toMatchObject({ outcome: told, at: 50 })
      held.fail(new Error("stopped"))
      await clock.advance(0)
      expect(waits.outcome).toBe("value 2")
      expect(things.map(({ serial }) => serial)).toEqual([1])
      expect(ledger.mostOfOneKey).toBe(1)
      await expectNothingLeft(w)
    },
  )
})
