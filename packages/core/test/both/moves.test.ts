import { describe, expect, test } from "vitest"
import { busyWorld } from "../support/busy.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  const busy = (policy: Policy = {}) => busyWorld(world, { timeouts, ...policy })

  test("L12: on restart what has not started moves on and keeps its place; what has is never run again", async () => {
    const it = await busy()
    const restarted = it.sessions.restart("a")
    it.held.fail(new Error("stopped"))
    await it.clock.advance(0)
    expect(await restarted).toMatchObject({ reason: "Restarted", leaked: false, session: { serial: 1 } })
    expect(it.starts).toEqual(["first on 1", "second on 2", "third on 2"])
    expect([it.first, ...it.waiting].map((run) => run.outcome)).toEqual([
      "TaskStopped Restarted",
      "value 2",
      "value 3",
    ])
    await expectNothingLeft(it)
  })

  test("L12: on close what has not started is refused at once, before the running one has ended", async () => {
    const it = await busy()
    const closed = it.sessions.close("a")
    await settle()
    expect(it.waiting.map((run) => [run.outcome, run.at])).toEqual([
      ["SessionRefused Closed", 0],
      ["SessionRefused Closed", 0],
    ])
    expect(it.first.outcome).toBe("pending")
    // Handed in after the close: it is for the next life.
    const after = watch(
      it.clock,
      it.sessions.run("a", ({ serial }) => serial),
    )
    it.held.fail(new Error("stopped"))
    await it.clock.advance(0)
    expect((await closed)?.reason).toBe("Requested")
    expect(after.outcome).toBe("value 2")
    expect(it.starts).toEqual(["first on 1"])
  })

  test("L12: a second close refuses who came in between", async () => {
    const it = await busy()
    const first = it.sessions.close("a")
    const between = watch(
      it.clock,
      it.sessions.run("a", () => 4),
    )
    const second = it.sessions.close("a")
    await settle()
    expect(between.outcome).toBe("SessionRefused Closed")
    it.held.open()
    await it.clock.advance(0)
    expect(await first).toEqual(await second)
    expect(it.ledger.opened).toBe(1)
  })

  test("L12: a close during a restart refuses those who were to move on", async () => {
    const it = await busy()
    const restarted = it.sessions.restart("a")
    const closed = it.sessions.close("a")
    await settle()
    expect(it.waiting.map((run) => run.outcome)).toEqual(["SessionRefused Closed", "SessionRefused Closed"])
    it.held.open()
    await it.clock.advance(0)
    // One reason each: the end under way keeps its own.
    expect([(await restarted)?.reason, (await closed)?.reason]).toEqual(["Restarted", "Restarted"])
    expect(it.sessions.explain("a").state).toBe("Closed")
    expect(it.ledger.opened).toBe(1)
  })

  test("L12: when the resource is lost, what has not started moves on", async () => {
    const it = world({ timeouts })
    const opened: Array<() => void> = []
    const first = watch(
      it.clock,
      it.sessions.run("a", async ({ opening }) => {
        opened.push(() => opening.broken(new Error("crashed")))
        await it.clock.after(50)
        throw new Error("because it crashed")
      }),
    )
    const second = watch(
      it.clock,
      it.sessions.run("a", ({ serial }) => serial),
    )
    await it.clock.advance(10)
    opened[0]?.()
    await it.clock.advance(50)
    expect([first.outcome, second.outcome]).toEqual(["TaskStopped Broken", "value 2"])
  })

  test("L12: with `restart: false` the queue of a lost resource is refused", async () => {
    const it = await busy({ restart: false })
    void it.sessions.run("a", ({ opening }) => opening.broken(), { whenBusy: "overlap" }).catch(() => {})
    it.held.fail(new Error("stopped"))
    await it.clock.advance(0)
    expect(it.waiting.map((run) => run.outcome)).toEqual(["SessionRefused Closed", "SessionRefused Closed"])
    expect(it.ledger.opened).toBe(1)
  })

  test("L12: when the next open fails, those who moved on are told, and nobody runs twice", async () => {
    let opens = 0
    const it = world({ timeouts }, () => {
      if (++opens === 2) throw new Error("no second time")
    })
    const held = gate()
    const starts: Array<number> = []
    const runs = [1, 2, 3].map((n) =>
      watch(
        it.clock,
        it.sessions.run("a", () => {
          starts.push(n)
          return held.promise
        }),
      ),
    )
    await settle()
    void it.sessions.restart("a")
    held.fail(new Error("stopped"))
    await it.clock.advance(10_000)
    expect(runs.map((run) => run.outcome)).toEqual([
      "TaskStopped Restarted",
      "SessionOpenFailed Failed",
      "SessionOpenFailed Failed",
    ])
    expect(starts).toEqual([1])
  })

  test("L12: on Unresponsive the queue moves on in order, with concurrency 2 as well", async () => {
    const { clock, sessions } = world({ timeouts, concurrency: 2 })
    const gone = new AbortController()
    for (let n = 0; n < 2; n++)
      void sessions.run("a", () => gate().promise, { signal: gone.signal }).catch(() => {})
    await settle()
    const order: Array<number> = []
    const waiting = [1, 2, 3, 4].map((n) => sessions.run("a", () => order.push(n)))
    gone.abort()
    await clock.advance(4000)
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3, 4])
  })

  test("L12, L8: a lease's queued turn does not move on: LeaseEnded, on restart as on close", async () => {
    for (const verb of ["restart", "close"] as const) {
      const it = world({ timeouts })
      const held = gate()
      const lease = await it.sessions.lease("a")
      const first = watch(
        it.clock,
        lease.run(() => held.promise),
      )
      const second = watch(
        it.clock,
        lease.run(() => 2),
      )
      const other = watch(
        it.clock,
        it.sessions.run("a", () => 3),
      )
      await settle()
      void it.sessions[verb]("a")
      held.fail(new Error("stopped"))
      await it.clock.advance(0)
      expect([first, second, other].map((run) => run.outcome)).toEqual([
        verb === "close" ? "TaskStopped Closed" : "TaskStopped Restarted",
        verb === "close" ? "SessionRefused Closed" : "SessionRefused LeaseEnded",
        verb === "close" ? "SessionRefused Closed" : "value 3",
      ])
    }
  })
})
