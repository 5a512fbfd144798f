import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import type { Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, expectReleasedOnce, watch } from "../support/watch.ts"
import { leaking } from "../support/leaking.ts"

const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  const make = leaking(world)

  test('L13, L3: by default a key goes on with a new generation; the old one ends later: "LeakEnded", and nothing else changes', async () => {
    const w = make({})
    const { clock, ends, ledger, registry, sessions, story, use } = w
    await use().promise
    const restarted = watch(clock, sessions.restart("a"))
    const next = use()
    await clock.advance(299)
    expect([restarted.outcome, next.outcome, ledger.opened]).toEqual(["pending", "pending", 1])
    await clock.advance(1)
    expect(restarted.value).toMatchObject({ reason: "Restarted", leaked: true, errors: [] })
    expect(next).toMatchObject({ outcome: "value 2", at: 300 })
    expect(sessions.snapshot().counts).toMatchObject({ Ready: 1, leaked: 1 })

    const before = { ...sessions.explain("a"), toString: undefined, history: undefined }
    ends(1)
    await settle()
    expect({ ...sessions.explain("a"), toString: undefined, history: undefined }).toEqual(before)
    expect(sessions.snapshot().counts).toMatchObject({ Ready: 1, leaked: 0 })
    expect(story()).toEqual([
      "Opening",
      "Opened",
      "Closing Restarted",
      "Closed Restarted",
      "Opening",
      "Opened",
      "LeakEnded",
    ])
    expect(w.events.find((event) => event._tag === "LeakEnded")).toMatchObject({ session: { serial: 1 } })
    expect(registry.seats.taken).toBe(1)
    expect(await use().promise).toBe(2)
    ends(2)
    await expectNothingLeft(w)
  })

  test('L3, L13: onLeak "wait" keeps the key shut until the real end; then who waits is served', async () => {
    const w = make({ onLeak: "wait" })
    const { clock, ends, ledger, sessions, story, use } = w
    await use().promise
    const restarted = watch(clock, sessions.restart("a"))
    const early = use()
    await clock.advance(300)
    expect(restarted.value).toMatchObject({ leaked: true })
    const [late, lease] = [use(), watch(clock, sessions.lease("a"))]
    await clock.advance(60_000)
    expect([early.outcome, late.outcome, lease.outcome, ledger.opened]).toEqual([
      "pending",
      "pending",
      "pending",
      1,
    ])
    ends(1)
    await clock.advance(0)
    expect([early.outcome, late.outcome, lease.outcome]).toEqual([
      "value 2",
      "value 2",
      "value [object Object]",
    ])
    expect(ledger.mostOfOneKey).toBe(1)
    expect(story().slice(3)).toEqual(["Closed Restarted", "LeakEnded", "Opening", "Opened"])
    ends(2)
    await expectNothingLeft(w)
  })

  test("L5: who waits for a key that is shut is told by its own clocks, and another may come after it", async () => {
    const w = make({ onLeak: "wait", timeouts: { close: 300, queue: 2000 } })
    const { clock, ends, ledger, sessions, use } = w
    await use().promise
    void sessions.restart("a")
    await clock.advance(300)
    const queued = use()
    const hurried = watch(clock, sessions.run("a", serial, { timeout: 500 }))
    const left = new AbortController()
    const leaves = watch(clock, sessions.run("a", serial, { signal: left.signal }))
    await clock.advance(100)
    left.abort(new Error("left"))
    await clock.advance(1900)
    expect(hurried).toMatchObject({ outcome: "TaskStopped Timeout", at: 800 })
    expect(leaves).toMatchObject({ outcome: "error left", at: 400 })
    expect(queued).toMatchObject({ outcome: "SessionRefused QueueTimeout", at: 2300 })
    expect(sessions.explain("a").state).toBe("Restarting")
    const last = use()
    await clock.advance(1000)
    ends(1)
    await clock.advance(0)
    expect(last).toMatchObject({ outcome: "value 2", at: 3300 })
    expect(ledger.mostOfOneKey).toBe(1)
    ends(2)
    await expectNothingLeft(w)
  })

  test("L4, L24: close and restart of a key that is shut answer at once with the leaked report; a close tells who waits", async () => {
    const w = make({ onLeak: "wait" })
    const { clock, ends, sessions, use } = w
    await use().promise
    const first = watch(clock, sessions.restart("a"))
    await clock.advance(300)
    const moves = use()
    const again = watch(clock, sessions.restart("a"))
    await clock.advance(0)
    expect(again).toMatchObject({ value: first.value, at: 300 })
    expect(moves.outcome).toBe("pending")
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(0)
    expect(closed).toMatchObject({ value: first.value, at: 300 })
    expect(moves.outcome).toBe("SessionRefused Closed")
    expect(sessions.explain("a").state).toBe("Closing")
    // What comes after the close opens afresh, when it can.
    const afresh = use()
    await clock.advance(1000)
    expect(afresh.outcome).toBe("pending")
    ends(1)
    await clock.advance(0)
    expect(afresh.outcome).toBe("value 2")
    ends(2)
    await expectNothingLeft(w)
  })

  test("L26: nobody waits for a key that was shut: after the real end nothing is left of it", async () => {
    const { clock, ends, ledger, registry, sessions, use } = make({ onLeak: "wait" })
    await use().promise
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(300)
    expect(closed.value).toMatchObject({ reason: "Requested", leaked: true })
    expect(registry.sessions.size).toBe(1)
    ends(1)
    await clock.advance(0)
    expect(registry.sessions.size).toBe(0)
    expect(sessions.explain("a")).toMatchObject({ state: "Closed", ended: { reason: "Requested" } })
    expectReleasedOnce(ledger)
  })

  test("L9: a key that is shut holds no seat, and hinders no other", async () => {
    const w = make({ onLeak: "wait", maxSessions: 1, maxPerOwner: 1 })
    const { clock, ends, registry, sessions } = w
    await sessions.run({ owner: "alice", id: "1" }, serial)
    void sessions.close({ owner: "alice", id: "1" })
    await clock.advance(300)
    expect([registry.seats.taken, registry.seats.owners]).toEqual([0, 0])
    const sibling = watch(clock, sessions.run({ owner: "alice", id: "2" }, serial))
    await clock.advance(0)
    expect(sibling).toMatchObject({ outcome: "value 2", at: 300 })
    // Its seat is another's now: it stands in line for one like everybody.
    const back = watch(clock, sessions.run({ owner: "alice", id: "1" }, serial))
    await clock.advance(10)
    ends(1)
    await clock.advance(0)
    expect(sessions.explain({ owner: "alice", id: "1" }).tasks).toMatchObject([{ waitsFor: "seat" }])
    expect(sessions.explain({ owner: "alice", id: "2" })).toMatchObject({ state: "Closing" })
    ends(2)
    await clock.advance(0)
    expect(back).toMatchObject({ outcome: "value 3", at: 310 })
    ends(3)
    await expectNothingLeft(w)
  })

  test("L18: explain says that it waits for the end of what was abandoned, and until when", async () => {
    const { clock, sessions, use } = make({ onLeak: "wait" })
    await use().promise
    void sessions.restart("a")
    void use()
    await clock.advance(299)
    expect(sessions.explain("a").tasks).toMatchObject([{ waitsFor: "restart", behind: 0 }])
    await clock.advance(1)
    void use()
    const explanation = sessions.explain("a")
    expect(explanation).toMatchObject({
      state: "Restarting",
      session: { generation: 1, serial: 1 },
      ended: { reason: "Restarted", at: 300 },
      tasks: [
        { waitsFor: "leak", behind: 0, waitEnds: { clock: "queue", at: 300_000 } },
        { waitsFor: "leak", behind: 1, waitEnds: { clock: "queue", at: 300_300 } },
      ],
    })
    expect(String(explanation)).toContain("the end of an abandoned generation")
    expect(explanation.history.at(-1)).toMatchObject({ what: "Closed", detail: "Restarted, leaked" })
  })
})
