import { describe, expect, test } from "vitest"
import { gate } from "../support/ledger.ts"
import { openWith, release } from "../support/openWith.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"

describe("what comes late", () => {
  test("L4, L13: what was used and never comes leaks its generation at the close deadline; coming later it is released at once", async () => {
    const page = gate<string>()
    const uses: Array<Watched> = []
    const w = openWith(
      ({ serial, use }, note) => {
        if (serial === 1) uses.push(watch(w.clock, use(page.promise, release(note))))
        return serial
      },
      { timeouts: { close: 900 } },
    )
    const { clock, lines, sessions, story } = w
    await sessions.run("a", () => 1)
    const closed = watch(clock, sessions.close("a"))
    const next = watch(
      clock,
      sessions.run("a", (serial) => serial),
    )
    await clock.advance(899)
    expect([closed.outcome, next.outcome]).toEqual(["pending", "pending"])
    await clock.advance(1)
    expect(closed.value).toMatchObject({ leaked: true })
    expect(next.outcome).toBe("value 2")
    page.open("page")
    await settle()
    expect(lines).toEqual(["page released Requested at 900"])
    expect(uses[0]?.outcome).toBe("SessionRefused Closed")
    expect(story().at(-1)).toBe("LeakEnded")
    expect(sessions.explain("a").state).toBe("Ready")
    await expectNothingLeft(w)
  })

  test("L4: what comes while its session closes is released at once, and the close waits for it", async () => {
    const page = gate<string>()
    const w = openWith(({ onClose, use }, note) => {
      watch(w.clock, use(page.promise, release(note)))
      onClose(() => w.clock.after(100))
    })
    const { clock, lines, sessions } = w
    await sessions.run("a", () => 1)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(50)
    page.open("page")
    await settle()
    expect(lines).toEqual(["page released Requested at 50"])
    await clock.advance(50)
    expect(closed).toMatchObject({ at: 100, value: { leaked: false } })
  })

  test("L4, L10: when the open fails its signal aborts, and what still arrives is released and told the failure", async () => {
    const page = gate<string>()
    const uses: Array<Watched> = []
    const signals: Array<AbortSignal> = []
    const w = openWith(({ serial, signal, use }, note) => {
      if (serial !== 1) return serial
      signals.push(signal)
      uses.push(watch(w.clock, use(page.promise, release(note))))
      throw new Error("no database")
    })
    const { clock, lines, sessions } = w
    const call = watch(
      clock,
      sessions.run("a", () => 1),
    )
    const next = watch(
      clock,
      clock.after(10).then(() => sessions.run("a", (serial) => serial)),
    )
    await settle()
    expect(call.outcome).toBe("SessionOpenFailed Failed")
    expect(signals[0]?.aborted).toBe(true)
    await clock.advance(1000)
    expect(next.outcome).toBe("pending")
    page.open("page")
    await clock.advance(0)
    expect(lines).toEqual(["page released OpenFailed at 1000"])
    expect(uses[0]?.outcome).toBe("SessionOpenFailed Failed")
    expect(next.outcome).toBe("value 2")
  })

  test("L13, L4: an open that hangs: told at its deadline, what it holds released at deadline and grace, then abandoned", async () => {
    const hangs = gate<string>()
    const w = openWith(
      async ({ onClose, serial }, note) => {
        if (serial !== 1) return serial
        onClose((reason) => note(`browser killed ${reason}`))
        await hangs.promise
        onClose((reason) => note(`page closed ${reason}`))
        return serial
      },
      { timeouts: { open: 1000, close: 900 } },
    )
    const { clock, lines, sessions, story } = w
    const call = watch(
      clock,
      sessions.run("a", () => 1),
    )
    await clock.advance(1500)
    expect(call).toMatchObject({ outcome: "SessionOpenFailed TimedOut", at: 1000 })
    const next = watch(
      clock,
      sessions.run("a", (serial) => serial),
    )
    await clock.advance(5000)
    expect(lines).toEqual(["browser killed OpenFailed at 6000"])
    await clock.advance(399)
    expect(next.outcome).toBe("pending")
    await clock.advance(1)
    expect(next).toMatchObject({ outcome: "value 2", at: 6900 })
    hangs.open("late")
    await settle()
    // Registered when the open had been abandoned: it runs at once, and the open is never served.
    expect(lines).toEqual(["browser killed OpenFailed at 6000", "page closed OpenFailed at 6900"])
    expect(story()).toEqual(["Opening", "OpenFailed", "Closed OpenFailed", "Opening", "Opened", "LeakEnded"])
    expect(fieldOf(call, "retryAfter")).toBe(75)
    await expectNothingLeft(w)
  })
})
