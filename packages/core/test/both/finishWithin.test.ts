import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import type { Thing, World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  /** A turn that takes a second, one behind it, and both in their places. */
  const busy = async (
    policy?: Parameters<typeof world>[0],
  ): Promise<World<Thing> & { running: Watched; queued: Watched; use: () => Watched }> => {
    const w = world(policy)
    const { clock, sessions } = w
    const use = (): Watched =>
      watch(
        clock,
        sessions.run("a", (thing) => thing.serial),
      )
    const running = watch(
      clock,
      sessions.run("a", (thing) => clock.after(1000).then(() => thing.serial)),
    )
    const queued = use()
    await settle()
    return { ...w, running, queued, use }
  }

  test("L24: close with finishWithin refuses the queue at once and lets the running turn end by itself", async () => {
    const w = await busy()
    const { clock, sessions, queued, running, use } = w
    const closed = watch(clock, sessions.close("a", { finishWithin: 5000 }))
    const after = use()
    await settle()
    expect(queued).toMatchObject({ outcome: "SessionRefused Closed", at: 0 })
    expect([running.outcome, after.outcome, closed.outcome]).toEqual(["pending", "pending", "pending"])
    await clock.advance(1000)
    expect(running).toMatchObject({ outcome: "value 1", at: 1000 })
    expect(closed.value).toMatchObject({ reason: "Requested", leaked: false })
    // What comes in while it finishes opens afresh.
    expect(after).toMatchObject({ outcome: "value 2", at: 1000 })
    expect(w.ledger.lines).toEqual(["open a#1", "release a#1", "open a#2"])
    await expectNothingLeft(w)
  })

  test("L24: when finishWithin is over the turns are cut; who came meanwhile is not refused by that", async () => {
    const w = await busy()
    const { clock, sessions, running, use } = w
    const closed = watch(clock, sessions.close("a", { finishWithin: 400 }))
    const after = use()
    await clock.advance(399)
    expect(sessions.explain("a").tasks[0]).toMatchObject({ state: "running" })
    await clock.advance(1)
    expect(sessions.explain("a").tasks[0]).toMatchObject({ state: "stopping" })
    await clock.advance(600)
    // Told at its end, or when its grace is over: it ignored the signal.
    expect(running.at).toBe(1000)
    expect(closed.value).toMatchObject({ reason: "Requested", leaked: false })
    expect(after.outcome).toBe("value 2")
    await expectNothingLeft(w)
  })

  test("L24: a second close can shorten what is left, never extend it, and refuses who came in between", async () => {
    const w = await busy()
    const { clock, sessions, use } = w
    const first = watch(clock, sessions.close("a", { finishWithin: 300 }))
    const between = use()
    const second = watch(clock, sessions.close("a", { finishWithin: 60_000 }))
    await settle()
    expect(between).toMatchObject({ outcome: "SessionRefused Closed", at: 0 })
    await clock.advance(300)
    expect(sessions.explain("a").tasks[0]).toMatchObject({ state: "stopping" })
    await clock.advance(700)
    expect(second.value).toEqual(first.value)

    const x = await busy()
    const slow = watch(x.clock, x.sessions.close("a", { finishWithin: 60_000 }))
    const now = watch(x.clock, x.sessions.close("a"))
    await settle()
    expect(x.sessions.explain("a").tasks[0]).toMatchObject({ state: "stopping" })
    await x.clock.advance(1000)
    expect(now.value).toEqual(slow.value)
    expect(now.value).toMatchObject({ reason: "Requested" })
  })

  test("L24: restart with finishWithin keeps the queue for the next generation, those included that come meanwhile", async () => {
    const w = await busy()
    const { clock, sessions, queued, running, use } = w
    const restarted = watch(clock, sessions.restart("a", { finishWithin: 5000 }))
    const after = use()
    await clock.advance(1000)
    expect(running.outcome).toBe("value 1")
    expect(restarted.value).toMatchObject({ reason: "Restarted" })
    expect([queued.outcome, after.outcome]).toEqual(["value 2", "value 2"])
    await expectNothingLeft(w)
  })

  test.each([
    ["restart", "Requested"],
    ["end", "Requested"],
  ] as const)(
    "L24: a close that lets turns finish stays a close through a later %s, in time and reason",
    async (verb, reason) => {
      const states: Array<unknown> = []
      const things: Array<Thing> = []
      const w = world({}, ({ restored, save }) => {
        states.push(restored)
        save(() => "state")
      })
      const { clock, sessions } = w
      const running = watch(
        clock,
        sessions.run("a", (thing) => {
          things.push(thing)
          return clock.after(1000)
        }),
      )
      await settle()
      const closed = watch(clock, sessions.close("a", { finishWithin: 400 }))
      await settle()
      if (verb === "end") things[0]?.opening.end()
      else watch(clock, sessions.restart("a", { finishWithin: 60_000 }))
      await clock.advance(400)
      expect(sessions.explain("a").tasks[0]).toMatchObject({ state: "stopping" })
      await clock.advance(1000)
      expect(closed.value).toMatchObject({ reason })
      expect(running.outcome).not.toBe("pending")
      expect(sessions.explain("a").state).toBe("Closed")
      await sessions.run("a", () => 1)
      expect(states).toEqual([undefined, undefined])
    },
  )

  test("L24: a restart that is asked for now, while a close lets turns finish, hurries it and leaves it a close", async () => {
    const states: Array<unknown> = []
    const { clock, sessions } = world({}, ({ restored, save }) => {
      states.push(restored)
      save(() => "state")
    })
    watch(
      clock,
      sessions.run("a", () => clock.after(1000)),
    )
    await settle()
    const closed = watch(clock, sessions.close("a", { finishWithin: 60_000 }))
    const after = watch(
      clock,
      sessions.run("a", (thing) => thing.serial),
    )
    const restarted = watch(clock, sessions.restart("a"))
    await settle()
    expect(sessions.explain("a").state).toBe("Closing")
    await clock.advance(1000)
    expect(closed.value).toMatchObject({ reason: "Requested" })
    expect(restarted.value).toEqual(closed.value)
    expect(after.outcome).toBe("value 2")
    expect(states).toEqual([undefined, undefined])
  })

  test("L24, L11: what breaks while a close lets turns finish is not rebuilt, not even eagerly", async () => {
    const { clock, sessions, story } = world({ restart: { eager: true } })
    const turn = watch(
      clock,
      sessions.run("a", (thing) => clock.after(10).then(() => thing.opening.broken())),
    )
    await settle()
    const closed = watch(clock, sessions.close("a", { finishWithin: 1000 }))
    await clock.advance(60_000)
    expect(turn.outcome).toBe("value undefined")
    expect(closed.outcome).not.toBe("pending")
    expect(story().filter((tag) => tag === "Opening")).toHaveLength(1)
    expect(sessions.explain("a").state).toBe("Closed")
  })

  test("L24: with nothing running there is nothing to let finish: it closes at once", async () => {
    const { clock, sessions } = world()
    const lease = await sessions.lease("a")
    const closed = watch(clock, sessions.close("a", { finishWithin: "1 hour" }))
    await settle()
    expect(closed.value).toMatchObject({ reason: "Requested" })
    expect(lease.signal.aborted).toBe(true)
  })

  test("L24, L13: a turn that ignores its stop is abandoned after grace, then the close is over", async () => {
    const { clock, sessions } = world({ timeouts: { grace: 200, close: 500 } })
    const turn = watch(
      clock,
      sessions.run("a", () => clock.after(60_000)),
    )
    await settle()
    const closed = watch(clock, sessions.close("a", { finishWithin: 100 }))
    await clock.advance(299)
    expect(turn.outcome).toBe("pending")
    await clock.advance(1)
    expect(turn).toMatchObject({ outcome: "TaskStopped Closed", at: 300 })
    expect(fieldOf(turn, "abandoned")).toBe(true)
    await clock.advance(500)
    expect(closed).toMatchObject({ at: 800, value: { reason: "Requested", leaked: true } })
  })
})
