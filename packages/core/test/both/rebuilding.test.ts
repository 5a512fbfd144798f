import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const serial = (thing: Thing): number => thing.serial
  const breaks = (thing: Thing): void => thing.opening.broken()

  test("L11: restart false: a broken session is closed and its queue refused; the next use opens afresh, every time", async () => {
    const w = world({ restart: false })
    const { clock, sessions, story } = w
    const finds = gate()
    const finder = watch(
      clock,
      sessions.run("a", (thing) => finds.promise.then(() => breaks(thing))),
    )
    const queued = watch(clock, sessions.run("a", serial))
    await settle()
    finds.open()
    await clock.advance(0)
    expect(finder.outcome).toBe("value undefined")
    expect(queued.outcome).toBe("SessionRefused Closed")
    expect(sessions.explain("a")).toMatchObject({ state: "Closed", ended: { reason: "Broken" } })
    for (let round = 0; round < 8; round++) {
      await sessions.run("a", breaks)
      await clock.advance(0)
    }
    const next = watch(clock, sessions.run("a", serial))
    await clock.advance(0)
    expect(next).toMatchObject({ outcome: "value 10", at: 0 })
    expect(story()).not.toContain("Quarantined")
    await expectNothingLeft(w)
  })

  test("L11: an eager restart rebuilds a lost generation for nobody, and no other end", async () => {
    const w = world({ restart: { eager: true }, idleTimeout: 1000, maxSessions: 1 })
    const { clock, ledger, sessions } = w
    await sessions.run("a", breaks)
    await clock.advance(100)
    expect(sessions.explain("a").state).toBe("Ready")
    expect(ledger.opened).toBe(2)
    const unused = async (): Promise<void> => {
      await clock.advance(500)
      expect(sessions.explain("a").state).toBe("Closed")
    }
    await sessions.close("a")
    await unused()
    await sessions.run("a", serial)
    await sessions.restart("a")
    await unused()
    await sessions.run("a", (thing) => thing.opening.end())
    await unused()
    await sessions.run("a", serial)
    await clock.advance(1000)
    await unused()
    await sessions.run("a", serial)
    await sessions.run("b", serial)
    await unused()
    await expectNothingLeft(w)
  })

  test("L11: what was rebuilt eagerly is idle from then on, and closes when its time has come", async () => {
    const { clock, sessions, story } = world({ restart: { eager: true }, idleTimeout: 1000 })
    await sessions.run("a", breaks)
    await clock.advance(999)
    expect(sessions.explain("a").state).toBe("Ready")
    await clock.advance(1)
    expect(story().at(-1)).toBe("Closed Idle")
  })

  test("L11, L10: an eager rebuild keeps to the delays, is tried once, and a close in its back-off ends it", async () => {
    const { clock, sessions, story } = world(
      { restart: { eager: true, delay: 1000 } },
      ({ serial: number }) => {
        if (number === 3) throw new Error("no database")
      },
    )
    await sessions.run("a", breaks)
    await settle()
    await sessions.run("a", breaks)
    await settle()
    expect(sessions.explain("a").state).toBe("Backoff")
    await clock.advance(749)
    expect(sessions.explain("a").state).toBe("Backoff")
    await clock.advance(1)
    expect(story().slice(-3)).toEqual(["Opening", "OpenFailed", "Closed OpenFailed"])
    await clock.advance(60_000)
    expect(sessions.explain("a").state).toBe("Closed")

    for (let round = 0; round < 2; round++) {
      await sessions.run("a", breaks)
      await settle()
    }
    expect(sessions.explain("a").state).toBe("Backoff")
    const opened = story().length
    expect(await sessions.close("a")).toBeUndefined()
    await clock.advance(60_000)
    expect(sessions.explain("a").state).toBe("Closed")
    expect(story()).toHaveLength(opened)
  })

  test("L1, L11: a waiter that joins an eager rebuild and leaves does not stop it", async () => {
    const held = gate()
    const { clock, sessions, story } = world({ restart: { eager: true } }, ({ serial: number }) =>
      number === 2 ? held.promise : undefined,
    )
    await sessions.run("a", breaks)
    await settle()
    expect(sessions.explain("a").state).toBe("Opening")
    const joins = watch(clock, sessions.run("a", serial, { timeout: 10 }))
    await clock.advance(10)
    expect(joins.outcome).toBe("TaskStopped Timeout")
    held.open()
    await clock.advance(0)
    expect(sessions.explain("a").state).toBe("Ready")
    expect(story()).not.toContain("Closed OpenCancelled")
  })

  test("L24: end while idle closes it at once: Ended, no loss, and the next use opens afresh", async () => {
    const w = world({ restart: { times: 0 } })
    const { clock, sessions, story } = w
    const seen: Array<Thing> = []
    await sessions.run("a", (thing) => void seen.push(thing))
    const lease = await sessions.lease("a")
    seen[0]?.opening.end()
    seen[0]?.opening.end()
    await clock.advance(0)
    expect(lease.signal.aborted).toBe(true)
    expect(story()).toEqual(["Opening", "Opened", "Closing Ended", "Closed Ended"])
    expect(await sessions.run("a", serial)).toBe(2)
    await expectNothingLeft(w)
  })

  test("L24, L12: end while turns run: they finish, what is queued or comes later opens a new life", async () => {
    const w = world({ concurrency: 2 })
    const { clock, ledger, sessions } = w
    const [first, second] = [100, 200].map((ms) =>
      watch(
        clock,
        sessions.run("a", (thing) => clock.after(ms).then(() => thing.serial)),
      ),
    )
    const queued = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await settle()
    const seen: Array<Thing> = []
    const beside = watch(
      clock,
      sessions.run("a", (thing) => void seen.push(thing), { whenBusy: "overlap" }),
    )
    await settle()
    expect(beside.outcome).toBe("value undefined")
    seen[0]?.opening.end()
    const later = watch(clock, sessions.run("a", serial))
    await clock.advance(199)
    expect(first).toMatchObject({ outcome: "value 1", at: 100 })
    expect([queued.outcome, later.outcome]).toEqual(["pending", "pending"])
    await clock.advance(1)
    expect(second).toMatchObject({ outcome: "value 1", at: 200 })
    expect([queued.outcome, later.outcome]).toEqual(["value 2", "value 2"])
    expect(ledger.lines).toEqual(["open a#1", "release a#1", "open a#2"])
    await expectNothingLeft(w)
  })

  test("L10, L24: end while opening: nothing is served, who waits is told, the next use opens afresh", async () => {
    const w = world({}, (opening) => {
      if (opening.serial === 1) opening.end()
    })
    const { clock, ledger, sessions, story } = w
    const calls = [1, 2].map(() => watch(clock, sessions.run("a", serial)))
    await clock.advance(0)
    for (const call of calls) expect(call.outcome).toBe("SessionOpenFailed Failed")
    expect(ledger.live).toBe(0)
    expect(story()).not.toContain("Opened")
    const next = watch(clock, sessions.run("a", serial))
    await clock.advance(1000)
    expect(next.outcome).toBe("value 2")
    await expectNothingLeft(w)
  })

  test("L12: an overlapping turn that has not begun moves on with a restart too, and is refused by a close", async () => {
    const opens = [gate(), gate()]
    const w = world({}, ({ serial: number }) => opens[number - 1]?.promise)
    const { clock, sessions } = w
    const call = (): ReturnType<typeof watch> =>
      watch(clock, sessions.run("a", serial, { whenBusy: "overlap" }))
    const closed = call()
    await settle()
    void sessions.close("a")
    const moves = call()
    await settle()
    opens[0]?.open()
    await clock.advance(0)
    expect(closed.outcome).toBe("SessionRefused Closed")
    opens[1]?.open()
    await clock.advance(0)
    expect(moves.outcome).toBe("value 2")
    await expectNothingLeft(w)
  })
})
