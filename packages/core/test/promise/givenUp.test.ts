import { describe, expect, test } from "vitest"
import { gate } from "../support/ledger.ts"
import { openWith } from "../support/openWith.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

describe("an open that was given up", () => {
  // `use` would throw, since its opening is over; a plain value can only be refused by the engine.
  test("L1, L3: that gives a plain value all the same is not served, also when somebody waits again", async () => {
    const held = gate()
    const w = openWith(async ({ onClose, serial }, note) => {
      if (serial === 1) await held.promise
      note(`open ${serial}`)
      onClose((reason) => note(`release ${serial} ${reason}`))
      return serial
    })
    const { clock, lines, sessions, story } = w
    const leaves = new AbortController()
    const first = watch(
      clock,
      sessions.run("a", (serial) => serial, { signal: leaves.signal }),
    )
    await settle()
    leaves.abort(new Error("gone"))
    const second = watch(
      clock,
      sessions.run("a", (serial) => serial),
    )
    await clock.advance(20)
    expect([first.outcome, second.outcome]).toEqual(["error gone", "pending"])
    held.open()
    await clock.advance(0)
    expect(second).toMatchObject({ outcome: "value 2", at: 20 })
    expect(lines).toEqual(["open 1 at 20", "release 1 OpenCancelled at 20", "open 2 at 20"])
    expect(story()).toEqual(["Opening", "Closed OpenCancelled", "Opening", "Opened"])
    await expectNothingLeft(w)
  })
})
