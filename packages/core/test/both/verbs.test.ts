import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  test("L24, L12: close tells all that was handed in before, and what comes after it opens afresh", async () => {
    const w = world()
    const { clock, ledger, sessions } = w
    const running = watch(
      clock,
      sessions.run("a", (_, { signal }) => stopped(signal)),
    )
    const queued = [1, 2].map((value) =>
      watch(
        clock,
        sessions.run("a", () => value),
      ),
    )
    await settle()
    const closed = watch(clock, sessions.close("a"))
    const after = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await clock.advance(0)
    expect(running.outcome).toBe("TaskStopped Closed")
    expect(fieldOf(running, "started")).toBe(true)
    for (const call of queued) {
      expect(call.outcome).toBe("SessionRefused Closed")
      expect(fieldOf(call, "retryAfter")).toBe(0)
    }
    expect(closed.value).toMatchObject({
      reason: "Requested",
      leaked: false,
      errors: [],
      session: { serial: 1 },
    })
    expect(after.outcome).toBe("value 2")
    expect(ledger.lines).toEqual(["open a#1", "release a#1", "open a#2"])
    await expectNothingLeft(w)
  })

  test("L24, L12: restart replaces the generation only: what has not started moves on and keeps its place", async () => {
    const w = world()
    const { clock, ledger, sessions } = w
    const order: Array<string> = []
    const running = watch(
      clock,
      sessions.run("a", (_, { signal }) => stopped(signal)),
    )
    const queued = ["one", "two", "three"].map((name) =>
      watch(
        clock,
        sessions.run("a", (thing) => order.push(`${name}#${thing.serial}`)),
      ),
    )
    await settle()
    const restarted = watch(clock, sessions.restart("a"))
    const after = watch(
      clock,
      sessions.run("a", (thing) => order.push(`four#${thing.serial}`)),
    )
    await clock.advance(0)
    expect(running.outcome).toBe("TaskStopped Restarted")
    expect(restarted.value).toMatchObject({ reason: "Restarted", session: { serial: 1 } })
    expect([...queued, after].map((call) => call.outcome)).toEqual([
      "value 1",
      "value 2",
      "value 3",
      "value 4",
    ])
    expect(order).toEqual(["one#2", "two#2", "three#2", "four#2"])
    expect(ledger.lines).toEqual(["open a#1", "release a#1", "open a#2"])
    expect(sessions.explain("a").restarts.left).toBe(5)
    await expectNothingLeft(w)
  })

  test("L24: a restart that nobody waits behind opens nothing until the next use", async () => {
    const { clock, sessions, story } = world()
    await sessions.run("a", () => 1)
    expect(await sessions.restart("a")).toMatchObject({ reason: "Restarted" })
    await clock.advance(60_000)
    expect(story()).toEqual(["Opening", "Opened", "Closing Restarted", "Closed Restarted"])
    expect(await sessions.run("a", (thing) => thing.serial)).toBe(2)
  })

  test("L24: a close of what is not live resolves with undefined and opens nothing; so does a restart", async () => {
    const { sessions, story } = world()
    expect(await sessions.close("a")).toBeUndefined()
    expect(await sessions.restart("a")).toBeUndefined()
    await settle()
    expect(story()).toEqual([])
  })

  test("L24, L3: close while it opens refuses who waits and gives the open up; a restart then is nothing", async () => {
    const opens = gate()
    const w = world({}, ({ generation }) => (generation === 1 ? opens.promise : undefined))
    const { clock, sessions, story } = w
    const first = watch(
      clock,
      sessions.run("a", () => 1),
    )
    await settle()
    expect(await sessions.restart("a")).toBeUndefined()
    const closed = [1, 2].map(() => watch(clock, sessions.close("a")))
    const second = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await settle()
    expect(first.outcome).toBe("SessionRefused Closed")
    expect(closed.map((call) => call.outcome)).toEqual(["pending", "pending"])
    opens.open()
    await clock.advance(0)
    for (const call of closed) expect(call.value).toMatchObject({ reason: "Requested", leaked: false })
    expect(second.outcome).toBe("value 2")
    expect(story()).not.toContain("OpenFailed")
    expect(w.ledger.mostOfOneKey).toBe(1)
    await expectNothingLeft(w)
  })

  test("L24: a second close joins the same end, and refuses who came in between", async () => {
    const w: World<Thing> = world({}, (opening) => opening.onClose(() => w.clock.after(100)))
    const { clock, sessions } = w
    await sessions.run("a", () => 1)
    const first = watch(clock, sessions.close("a"))
    await clock.advance(50)
    const between = watch(
      clock,
      sessions.run("a", () => 2),
    )
    await settle()
    expect(between.outcome).toBe("pending")
    const second = watch(clock, sessions.close("a"))
    await settle()
    expect(between).toMatchObject({ outcome: "SessionRefused Closed", at: 50 })
    await clock.advance(50)
    expect(first.value).toMatchObject({ reason: "Requested" })
    expect(second.value).toEqual(first.value)
    expect(sessions.explain("a").state).toBe("Closed")
  })

  test("L24: close during a restart joins it: who waited for the next generation is refused, and none is opened", async () => {
    const w: World<Thing> = world({}, (opening) => opening.onClose(() => w.clock.after(100)))
    const { clock, sessions, story } = w
    await sessions.run("a", () => 1)
    const restarted = watch(clock, sessions.restart("a"))
    const waits = watch(
      clock,
      sessions.run("a", () => 2),
    )
    await clock.advance(10)
    expect(sessions.explain("a").state).toBe("Restarting")
    const closed = watch(clock, sessions.close("a"))
    await settle()
    expect(sessions.explain("a").state).toBe("Closing")
    expect(waits).toMatchObject({ outcome: "SessionRefused Closed", at: 10 })
    await clock.advance(1000)
    // The reason was fixed when the closing began.
    expect(closed.value).toMatchObject({ reason: "Restarted" })
    expect(restarted.value).toEqual(closed.value)
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(1)
  })

  test("L24: task.close and task.restart mean after this turn, whose own outcome they leave alone", async () => {
    const { clock, ledger, sessions, story } = world()
    const restarts = watch(
      clock,
      sessions.run("a", async (thing, task) => {
        task.restart()
        await clock.after(10)
        return thing.serial
      }),
    )
    const moves = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    await clock.advance(10)
    expect(restarts.outcome).toBe("value 1")
    expect(moves.outcome).toBe("value 2")
    const closes = watch(
      clock,
      sessions.run("a", async (thing, task) => {
        task.close()
        await clock.after(10)
        return thing.serial
      }),
    )
    const refused = watch(
      clock,
      sessions.run("a", () => 0),
    )
    await clock.advance(10)
    expect(closes.outcome).toBe("value 2")
    expect(refused.outcome).toBe("SessionRefused Closed")
    expect(ledger.live).toBe(0)
    expect(story().filter((tag) => tag.startsWith("Closed"))).toEqual([
      "Closed Restarted",
      "Closed Requested",
    ])
  })

  test("L24: a turn that asked for its session's close is heard also when a restart stops it first", async () => {
    const { clock, sessions, story } = world()
    const turn = watch(
      clock,
      sessions.run("a", (_, task) => {
        task.close()
        return stopped(task.signal)
      }),
    )
    await settle()
    const waits = watch(
      clock,
      sessions.run("a", () => 2),
    )
    const restarted = watch(clock, sessions.restart("a"))
    await clock.advance(0)
    expect(turn.outcome).toBe("TaskStopped Restarted")
    expect(waits.outcome).toBe("SessionRefused Closed")
    expect(restarted.outcome).not.toBe("pending")
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(1)
  })
})

/** Work that ends, with an error of its own, as soon as it is told to stop. */
const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("told to stop"))))
