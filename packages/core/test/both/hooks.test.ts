import { describe, expect, test } from "vitest"
import type { SessionEvent } from "../../src/observe/SessionEvent.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

/** What hooks see: generations that became ready, from `Opened` to `Closed`. */
const lives = (events: ReadonlyArray<SessionEvent>): ReadonlyArray<string> => {
  const ready = new Set<number>()
  return events.flatMap((event) => {
    if (event._tag !== "Opened" && event._tag !== "Closed") return []
    const { key, serial } = event.session
    if (event._tag === "Opened") {
      ready.add(serial)
      return [`${key}#${serial} opened`]
    }
    return ready.has(serial)
      ? [`${key}#${serial} closed: ${event.reason}${event.leaked ? ", leaked" : ""}`]
      : []
  })
}

describe.each(faces)("$face", ({ world }) => {
  const serial = (thing: Thing): number => thing.serial

  test("L15: opened and closed alternate per key, once each, through restart, leak and failed opens", async () => {
    const hangs = gate()
    const w: World<Thing> = world(
      { idleTimeout: 5000, timeouts: { close: 300 } },
      ({ onClose, serial: number }) => {
        if (number === 3) throw new Error("no database")
        if (number === 4) onClose(() => hangs.promise)
      },
    )
    const { clock, events, sessions } = w
    await sessions.run("a", serial)
    await sessions.restart("a")
    await sessions.run("a", (thing) => thing.opening.broken())
    const fails = watch(clock, sessions.run("a", serial))
    await clock.advance(0)
    expect(fails.outcome).toBe("SessionOpenFailed Failed")
    const leaks = watch(clock, sessions.run("a", serial))
    await clock.advance(200)
    expect(leaks.outcome).toBe("value 4")
    const closed = watch(clock, sessions.close("a"))
    const next = watch(clock, sessions.run("a", serial))
    await clock.advance(300)
    expect(closed.value).toMatchObject({ leaked: true })
    expect(next.outcome).toBe("value 5")
    hangs.open()
    await clock.advance(5000)
    expect(lives(events)).toEqual([
      "a#1 opened",
      "a#1 closed: Restarted",
      "a#2 opened",
      "a#2 closed: Broken",
      "a#4 opened",
      "a#4 closed: Requested, leaked",
      "a#5 opened",
      "a#5 closed: Idle",
    ])
  })

  test("L15: closed is told after the finalizers, not awaited, and before the next opened", async () => {
    const lines: Array<string> = []
    const { sessions } = world({}, ({ onClose }) => onClose(() => void lines.push("finalizer")))
    sessions.subscribe((event) => {
      if (event._tag === "Opened" || event._tag === "Closed")
        lines.push(`${event._tag} ${event.session.serial}`)
      return new Promise(() => {})
    })
    const first = sessions.run("a", serial)
    await first
    const closed = sessions.close("a")
    const next = sessions.run("a", serial)
    await Promise.all([closed, next])
    await settle()
    expect(lines).toEqual(["Opened 1", "finalizer", "Closed 1", "Opened 2"])
  })

  test("L15, L16: a hook that throws, and one that calls back in, change nothing", async () => {
    const { clock, events, ledger, sessions } = world()
    sessions.subscribe(() => {
      throw new Error("bad hook")
    })
    const again: Array<ReturnType<typeof watch>> = []
    sessions.subscribe((event) => {
      if (event._tag === "Closed" && again.length === 0) again.push(watch(clock, sessions.run("a", serial)))
    })
    await sessions.run("a", serial)
    expect(await sessions.close("a")).toMatchObject({ reason: "Requested" })
    await clock.advance(0)
    expect(again[0]?.outcome).toBe("value 2")
    expect(lives(events)).toEqual(["a#1 opened", "a#1 closed: Requested", "a#2 opened"])
    expect(ledger.live).toBe(1)
  })
})
