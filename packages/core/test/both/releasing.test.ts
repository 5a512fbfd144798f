import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const serial = (thing: Thing): number => thing.serial

  test("L4: finalizers run once, in reverse order, each after the one before it, through throws in the middle", async () => {
    const lines: Array<string> = []
    const late = new Error("late")
    const sudden = new Error("sudden")
    const w: World<Thing> = world({}, ({ onClose }) => {
      const step = (name: string, end: () => void) => async (): Promise<void> => {
        lines.push(`${name} begins`)
        await w.clock.after(10)
        lines.push(`${name} ends`)
        end()
      }
      onClose(step("first", () => {}))
      onClose(
        step("second", () => {
          throw late
        }),
      )
      onClose(() => {
        lines.push("third throws")
        throw sudden
      })
      onClose(step("fourth", () => {}))
    })
    const { clock, ledger, sessions } = w
    await sessions.run("a", serial)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(30)
    expect(lines).toEqual([
      "fourth begins",
      "fourth ends",
      "third throws",
      "second begins",
      "second ends",
      "first begins",
      "first ends",
    ])
    expect(closed).toMatchObject({
      at: 30,
      value: { reason: "Requested", leaked: false, errors: [sudden, late] },
    })
    expect(ledger.lines).toEqual(["open a#1", "release a#1"])
    expect(sessions.explain("a").state).toBe("Closed")
    expect(await sessions.run("a", serial)).toBe(2)
  })

  test("L4, L10: an open that fails half-way releases what it had, in order, before the next open begins", async () => {
    const lines: Array<string> = []
    const w: World<Thing> = world({ restart: { delay: 0 } }, async ({ onClose, serial: number }) => {
      lines.push(`open ${number}`)
      for (const name of ["database", "page"]) {
        onClose(async () => {
          await w.clock.after(10)
          lines.push(`close ${name} ${number}`)
        })
      }
      await w.clock.after(5)
      if (number === 1) throw new Error("half-way")
    })
    const { clock, sessions } = w
    const first = watch(clock, sessions.run("a", serial))
    await clock.advance(5)
    expect(first).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 5 })
    const second = watch(clock, sessions.run("a", serial))
    await clock.advance(25)
    expect(second).toMatchObject({ outcome: "value 2", at: 30 })
    expect(lines).toEqual(["open 1", "close page 1", "close database 1", "open 2"])
    await expectNothingLeft(w)
  })

  test("L4, L3: a finalizer that hangs: the close is told leaked at its deadline, the key goes on, the late end changes nothing", async () => {
    const held = gate()
    const w = world({ timeouts: { close: 900 } }, ({ onClose, serial: number }) => {
      if (number === 1) onClose(() => held.promise)
    })
    const { clock, ledger, sessions, story } = w
    await sessions.run("a", serial)
    const closed = watch(clock, sessions.close("a"))
    const next = watch(clock, sessions.run("a", serial))
    const other = watch(clock, sessions.run("b", serial))
    await clock.advance(0)
    expect(other.outcome).toBe("value 2")
    await clock.advance(899)
    expect([closed.outcome, next.outcome]).toEqual(["pending", "pending"])
    await clock.advance(1)
    expect(closed).toMatchObject({ at: 900, value: { leaked: true, reason: "Requested" } })
    expect(next).toMatchObject({ outcome: "value 3", at: 900 })
    expect(sessions.snapshot().counts.leaked).toBe(1)
    const before = story().length
    held.open()
    await clock.advance(1000)
    expect(story().slice(before)).toEqual(["LeakEnded"])
    expect(sessions.snapshot().counts.leaked).toBe(0)
    expect(sessions.explain("a").state).toBe("Ready")
    expect(await sessions.run("a", serial)).toBe(3)
    expect(ledger.lines).toContain("release a#1")
    await expectNothingLeft(w)
  })

  test("L4: a hanging one in the middle is given a third of the close's time, then the others run in order", async () => {
    const lines: Array<string> = []
    const w: World<Thing> = world({ timeouts: { close: 900 } }, ({ onClose }) => {
      onClose(() => void lines.push(`first at ${w.clock.now}`))
      onClose(() => void lines.push(`second at ${w.clock.now}`))
      onClose(() => gate().promise)
    })
    const { clock, sessions } = w
    await sessions.run("a", serial)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(299)
    expect(lines).toEqual([])
    await clock.advance(1)
    expect(lines).toEqual(["second at 300", "first at 300"])
    await clock.advance(600)
    expect(closed).toMatchObject({ at: 900, value: { leaked: true, errors: [] } })
  })

  test("L4: at the close deadline what has not begun begins at once", async () => {
    const lines: Array<string> = []
    const w: World<Thing> = world({ timeouts: { close: 900 } }, ({ onClose }) => {
      for (const name of ["one", "two", "three", "four", "five"]) {
        onClose(() => {
          lines.push(`${name} at ${w.clock.now}`)
          return gate().promise
        })
      }
    })
    const { clock, sessions } = w
    await sessions.run("a", serial)
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(900)
    expect(lines.toSorted()).toEqual(["five at 0", "four at 300", "one at 900", "three at 600", "two at 900"])
    expect(closed.value).toMatchObject({ leaked: true })
  })

  test("L4: the finalizers are told why", async () => {
    const reasons: Array<string> = []
    const w = world({ idleTimeout: 1000, maxSessions: 1 }, ({ onClose }) =>
      onClose((reason) => reasons.push(reason)),
    )
    const { clock, sessions } = w
    await sessions.run("a", serial)
    await clock.advance(1000)
    await sessions.run("a", serial)
    await sessions.run("b", serial)
    await sessions.close("b")
    await sessions.run("a", serial)
    await sessions.restart("a")
    await sessions.run("a", (thing) => thing.opening.broken())
    await sessions.run("a", (thing) => thing.opening.end())
    await sessions.run("a", serial)
    await sessions.drain()
    expect(reasons).toEqual(["Idle", "Evicted", "Requested", "Restarted", "Broken", "Ended", "Drained"])
  })

  test("L4, L20: finalizers wait for the running turn's end, and see none of its session's later work", async () => {
    const ends = gate()
    const lines: Array<string> = []
    const { clock, sessions } = world({}, ({ onClose }) => onClose(() => void lines.push("released")))
    watch(
      clock,
      sessions.run("a", () => ends.promise.then(() => lines.push("turn ended"))),
    )
    await settle()
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(100)
    expect(lines).toEqual([])
    ends.open()
    await clock.advance(0)
    expect(lines).toEqual(["turn ended", "released"])
    expect(closed.value).toMatchObject({ leaked: false })
  })
})
