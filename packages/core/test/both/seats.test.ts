import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf, type Gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

const keyOf = (thing: { readonly key: string }): string => thing.key

describe.each(faces)("$face", ({ world }) => {
  test("L9: the longest idle session makes room, busy ones never, one for each newcomer", async () => {
    const { clock, ledger, sessions, story } = world({ maxSessions: 3 })
    const held = gate()
    const busy = sessions.run("busy", () => held.promise)
    await settle()
    for (const key of ["old", "young"]) {
      await sessions.run(key, keyOf)
      await clock.advance(10)
    }
    await sessions.run("old", keyOf)
    expect(await sessions.run("new", keyOf)).toBe("new")
    await clock.advance(0)
    expect(ledger.lines.filter((line) => line.startsWith("release"))).toEqual(["release young#3"])
    expect(story()).toContain("Closed Evicted")
    held.open()
    await busy
  })

  test("L9: nothing is evicted while the closings under way cover those who wait", async () => {
    const closing = new Map<string, Gate>()
    const { sessions } = world({ maxSessions: 3 }, ({ key, onClose }) => {
      closing.set(key, gate())
      onClose(() => closing.get(key)?.promise)
    })
    for (const key of ["a", "b", "c"]) await sessions.run(key, keyOf)
    const [first, second] = [sessions.run("d", keyOf), sessions.run("d", keyOf)]
    await settle()
    expect(states(sessions, ["a", "b", "c", "d"])).toEqual(["Closing", "Ready", "Ready", "Waiting"])
    const third = sessions.run("e", keyOf)
    await settle()
    expect(states(sessions, ["a", "b", "c", "d", "e"])).toEqual([
      "Closing",
      "Closing",
      "Ready",
      "Waiting",
      "Waiting",
    ])
    closing.get("b")?.open()
    await settle()
    expect(await Promise.all([first, second])).toEqual(["d", "d"])
    expect(await outcomeOf(third)).toBe("pending")
    closing.get("a")?.open()
    expect(await third).toBe("e")
    expect(states(sessions, ["c"])).toEqual(["Ready"])
  })

  test("L9: a run for the victim waits for its end and is served after the newcomer", async () => {
    const closing = gate()
    const { ledger, sessions } = world({ maxSessions: 1 }, ({ key, serial, onClose }) => {
      if (key === "victim" && serial === 1) onClose(() => closing.promise)
    })
    await sessions.run("victim", keyOf)
    const newcomer = sessions.run("new", keyOf)
    const back = sessions.run("victim", keyOf)
    await settle()
    closing.open()
    expect(await Promise.all([newcomer, back])).toEqual(["new", "victim"])
    expect(ledger.lines).toEqual([
      "open victim#1",
      "release victim#1",
      "open new#2",
      "release new#2",
      "open victim#3",
    ])
  })

  test("L9: a full owner does not block another's waiter; its own longest idle session makes room for its own", async () => {
    const { clock, ledger, sessions } = world({ maxSessions: 10, maxPerOwner: 2, timeouts: { seat: 1000 } })
    const held = gate()
    const busy = ["1", "2"].map((id) => sessions.run({ owner: "alice", id }, () => held.promise))
    await settle()
    const third = watch(clock, sessions.run({ owner: "alice", id: "3" }, keyOf))
    expect(await sessions.run({ owner: "bob", id: "3" }, keyOf)).toBe("bob~3")
    expect(await sessions.run("nobody's", keyOf)).toBe("nobody=27s")
    await clock.advance(999)
    expect(third.outcome).toBe("pending")
    await clock.advance(1)
    expect(third.outcome).toBe("SessionRefused MaxPerOwner")
    expect(fieldOf(third, "retryAfter")).toBeGreaterThan(0)
    held.open()
    await Promise.all(busy)
    await clock.advance(1)
    await sessions.run({ owner: "alice", id: "1" }, keyOf)
    expect(await sessions.run({ owner: "alice", id: "3" }, keyOf)).toBe("alice~3")
    await settle()
    expect(ledger.lines.filter((line) => line.startsWith("release"))).toEqual(["release alice~2#2"])
  })

  test("L9: another owner's waiter behind a full owner's gets the seat that comes free", async () => {
    const { clock, sessions } = world({ maxSessions: 2, maxPerOwner: 1, timeouts: { seat: 1000 } })
    const [alice, other] = [gate(), gate()]
    const busy = sessions.run({ owner: "alice", id: "1" }, () => alice.promise)
    void sessions.run("x", () => other.promise)
    await settle()
    const blocked = watch(clock, sessions.run({ owner: "alice", id: "2" }, keyOf))
    const behind = watch(clock, sessions.run({ owner: "bob" }, keyOf))
    await settle()
    other.open()
    await settle()
    expect([blocked.outcome, behind.outcome]).toEqual(["pending", "value bob~"])
    alice.open()
    await busy
    await settle()
    expect(blocked.outcome).toBe("value alice~2")
  })

  test("L9: the waiter leaves after the eviction began: the seat goes to the next, and the eviction is not undone", async () => {
    const closing = gate()
    const { sessions } = world({ maxSessions: 1 }, ({ key, onClose }) => {
      if (key === "old") onClose(() => closing.promise)
    })
    await sessions.run("old", keyOf)
    const leaving = new AbortController()
    const first = sessions.run("first", keyOf, { signal: leaving.signal })
    await settle()
    const next = sessions.run("next", keyOf)
    await settle()
    leaving.abort(new Error("left"))
    expect(await outcomeOf(first)).toBe("error left")
    expect(states(sessions, ["old", "first"])).toEqual(["Closing", "Closed"])
    closing.open()
    expect(await next).toBe("next")
  })

  test("L9: nobody waits for ever: MaxSessions after `timeouts.seat`, told to each who waits, and the key is free again", async () => {
    const world1 = world({ maxSessions: 1, timeouts: { seat: 1000 } })
    const { clock, sessions } = world1
    const held = gate()
    const busy = sessions.run("busy", () => held.promise)
    await settle()
    const first = watch(clock, sessions.run("a", keyOf))
    await clock.advance(400)
    const second = watch(clock, sessions.run("a", keyOf))
    expect(sessions.explain("a").tasks.map((task) => task.waitsFor)).toEqual(["seat", "seat"])
    await clock.advance(600)
    expect(first).toMatchObject({ outcome: "SessionRefused MaxSessions", at: 1000 })
    expect(second.outcome).toBe("pending")
    await clock.advance(400)
    expect(second).toMatchObject({ outcome: "SessionRefused MaxSessions", at: 1400 })
    expect(sessions.explain("a").state).toBe("Closed")
    held.open()
    await busy
    expect(await sessions.run("a", keyOf)).toBe("a")
    await expectNothingLeft(world1)
  })

  test("L9: a seat given back, and a session become idle, are offered at once", async () => {
    const { sessions } = world({ maxSessions: 2 })
    const [one, two] = [gate(), gate()]
    void sessions.run("one", () => one.promise)
    const busy = sessions.run("two", () => two.promise)
    await settle()
    const [first, second] = [sessions.run("first", keyOf), sessions.run("second", keyOf)]
    await settle()
    one.open()
    expect(await first).toBe("first")
    expect(await second).toBe("second")
    two.open()
    await busy
    expect(sessions.snapshot().counts.Ready).toBeLessThanOrEqual(2)
  })

  test("L9: a restart in a full registry keeps its seat against those who wait", async () => {
    const { clock, sessions } = world({ maxSessions: 1, timeouts: { seat: 1000 } })
    const held = gate()
    const running = watch(
      clock,
      sessions.run("a", (_, { signal }) => Promise.race([held.promise, stopped(signal)])),
    )
    const queued = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await settle()
    const other = watch(clock, sessions.run("b", keyOf))
    await settle()
    await sessions.restart("a")
    await settle()
    expect([running.outcome, queued.outcome, other.outcome]).toEqual([
      "TaskStopped Restarted",
      "value 2",
      "value b",
    ])
    expect(queued.at).toBe(0)
  })

  test("L9: what leaks gives its seat back", async () => {
    const { clock, sessions } = world(
      { maxSessions: 1, timeouts: { close: 300, seat: 60_000 } },
      ({ key, onClose }) => {
        if (key === "a") onClose(() => gate().promise)
      },
    )
    await sessions.run("a", keyOf)
    const next = watch(clock, sessions.run("b", keyOf))
    await clock.advance(299)
    expect(next.outcome).toBe("pending")
    await clock.advance(1)
    expect(next.outcome).toBe("value b")
    expect(sessions.snapshot().counts.leaked).toBe(1)
  })

  test("L9, L7: a turn that waits for a seat it holds itself is told within `timeouts.seat`", async () => {
    const { clock, sessions } = world({ maxSessions: 1, timeouts: { seat: 1000 } })
    const outer = watch(
      clock,
      sessions.run("a", () => sessions.run("b", keyOf)),
    )
    await clock.advance(1000)
    expect(outer).toMatchObject({ outcome: "SessionRefused MaxSessions", at: 1000 })
    expect(await sessions.run("b", keyOf)).toBe("b")
  })

  test("L9: never more than maxSessions at once, whoever comes and goes, and everyone is told", async () => {
    let most = 0
    const counting = world({ maxSessions: 3, timeouts: { seat: "1 minute" } }, async () => {
      await settle()
    })
    const { clock, ledger, sessions } = counting
    const told: Array<Promise<string>> = []
    for (let index = 0; index < 60; index++) {
      const key = `k${(index * 7) % 13}`
      told.push(outcome(sessions.run(key, () => void (most = Math.max(most, ledger.live)))))
      if (index % 5 === 0) await clock.advance(1)
    }
    await clock.advance(1000)
    expect(new Set(await Promise.all(told))).toEqual(new Set(["told"]))
    expect(most).toBe(3)
    await expectNothingLeft(counting)
  })
})

const outcome = (promise: Promise<unknown>): Promise<string> => promise.then(() => "told")
const states = (
  sessions: { readonly explain: (key: string) => { readonly state: string } },
  keys: ReadonlyArray<string>,
) => keys.map((key) => sessions.explain(key).state)
const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
  )
