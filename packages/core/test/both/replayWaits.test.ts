import { describe, expect, test } from "vitest"
import type { RunOptions } from "../../src/SessionOptions.ts"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import type { Policy, Thing } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch, type Watched } from "../support/watch.ts"

const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  /** Calls that run on the first generation until they are stopped, and give its serial on a later one. */
  const replaying = (policy: Policy = {}, before?: Parameters<typeof world>[1]) => {
    const things: Array<Thing> = []
    const starts: Array<string> = []
    const w = world({ timeouts, idleTimeout: "Infinity", ...policy }, before)
    const call = (
      name: string,
      work: (thing: Thing, task: Task) => unknown = ({ serial }, { signal }) =>
        serial === 1 ? untilStopped(signal) : serial,
      options: RunOptions = {},
    ): Watched =>
      watch(
        w.clock,
        w.sessions.run(
          "a",
          (thing, task) => {
            things.push(thing)
            starts.push(`${name} on ${thing.serial} at ${w.clock.now}`)
            return work(thing, task)
          },
          { name, idempotent: true, ...options },
        ),
      )
    const lose = (): void => things.at(-1)?.opening.broken(new Error("lost"))
    /** Cut at 10 by a loss; until 510 it waits for the old generation to go. */
    return { ...w, call, lose, starts, things }
  }
  /** Cut at 10 by a loss; it waits for its second run until the old generation has gone, at 510. */
  const waiting = async (options: RunOptions = {}, policy?: Policy, before?: Parameters<typeof world>[1]) => {
    const w: ReturnType<typeof replaying> = replaying(policy, (opening) => {
      if (opening.serial === 1) opening.onClose(() => w.clock.after(500))
      return before?.(opening)
    })
    const cut = w.call("cut", undefined, options)
    await w.clock.advance(10)
    w.lose()
    await w.clock.advance(0)
    expect(w.sessions.explain("a").tasks).toMatchObject([
      { name: "cut", state: "queued", waitsFor: "restart" },
    ])
    return { ...w, cut }
  }
  const ended = (w: ReturnType<typeof replaying>): ReadonlyArray<string> =>
    w.events.flatMap((event) => (event._tag === "TaskEnded" ? [`${event.task.name} ${event.outcome}`] : []))

  test.each<readonly [string, (w: ReturnType<typeof replaying>) => unknown, string, Policy, number]>([
    ["the next opening fails", () => {}, "SessionOpenFailed Failed", {}, 510],
    ["the session is closed", ({ sessions }) => sessions.close("a"), "SessionRefused Closed", {}, 100],
    ["the registry drains", ({ sessions }) => sessions.drain(), "SessionRefused Draining", {}, 100],
    [
      "its queue clock is over",
      () => {},
      "SessionRefused QueueTimeout",
      { timeouts: { ...timeouts, queue: 300 } },
      310,
    ],
  ])(
    "L12, L5: when %s it is interrupted, with the refusal as its cause; never rejected: it had begun",
    async (what, act, refusal, policy, at) => {
      const w = await waiting({}, policy, ({ serial }) => {
        if (serial === 2 && what === "the next opening fails") throw new Error("no database")
      })
      const { clock, cut, registry, starts } = w
      await clock.advance(90)
      void act(w)
      await clock.advance(10_000)
      expect([cut.outcome, cut.at, fieldOf(cut, "started"), fieldOf(cut, "abandoned")]).toEqual([
        "TaskStopped Broken",
        at,
        true,
        false,
      ])
      const cause = fieldOf(cut, "cause")
      expect(
        `${String(Reflect.get(cause as object, "_tag"))} ${String(Reflect.get(cause as object, "reason"))}`,
      ).toBe(refusal)
      expect(starts).toEqual(["cut on 1 at 0"])
      expect(ended(w)).toEqual(["cut interrupted"])
      expect(registry.monitor.outcomes).toMatchObject({ interrupted: 1, rejected: 0 })
      await expectNothingLeft(w)
    },
  )

  test.each([
    ["leaves", "error left", 110],
    ["cancels", "TaskStopped Cancelled", 110],
    ["has no more time", "TaskStopped Timeout", 300],
  ])("L12, L5: not when its caller %s between the loss and its end", async (how, outcome, at) => {
    const leaves = new AbortController()
    const w = replaying()
    const { call, clock, ledger, lose, sessions, starts } = w
    const cut = call(
      "cut",
      async (_, { signal }) => {
        await untilStopped(signal).catch(() => clock.after(500))
        throw new Error("stopped")
      },
      { signal: leaves.signal, timeout: 300 },
    )
    await clock.advance(10)
    lose()
    await clock.advance(100)
    if (how === "leaves") leaves.abort(new Error("left"))
    if (how === "cancels") void sessions.cancel("a")
    await clock.advance(10_000)
    expect(cut).toMatchObject({ outcome, at })
    expect(starts).toEqual(["cut on 1 at 0"])
    expect(ledger.opened).toBe(1)
    await expectNothingLeft(w)
  })

  test("L5: its caller may leave while it waits for its second run: told at once, never begun again", async () => {
    const leaves = new AbortController()
    const left = await waiting({ signal: leaves.signal })
    const cancelled = await waiting()
    await left.clock.advance(40)
    leaves.abort(new Error("left"))
    expect(await cancelled.sessions.cancel("a")).toBe(1)
    await settle()
    expect(left.cut).toMatchObject({ outcome: "error left", at: 50 })
    expect([cancelled.cut.outcome, fieldOf(cancelled.cut, "started")]).toEqual([
      "TaskStopped Cancelled",
      true,
    ])
    for (const w of [left, cancelled]) {
      await w.clock.advance(10_000)
      expect(w.starts).toEqual(["cut on 1 at 0"])
      // Nobody waited any more, so nothing was opened.
      expect(w.ledger.opened).toBe(1)
      await expectNothingLeft(w)
    }
  })

  test("L6, L5: a newer turn replaces it while it waits for its second run", async () => {
    const w = await waiting()
    const { call, clock, cut, starts } = w
    await clock.advance(40)
    const newer = call("newer", ({ serial }) => serial, { whenBusy: "replace" })
    await settle()
    expect([cut.outcome, cut.at, fieldOf(cut, "started")]).toEqual(["TaskStopped Replaced", 50, true])
    await clock.advance(5000)
    expect(newer.outcome).toBe("value 2")
    expect(starts).toEqual(["cut on 1 at 0", "newer on 2 at 510"])
    await expectNothingLeft(w)
  })

  test("L5: the caller's `timeout` runs on from the first hand-in: while it waits, and in its second run", async () => {
    const waits = await waiting({ timeout: 300 })
    await waits.clock.advance(10_000)
    expect([waits.cut.outcome, waits.cut.at, fieldOf(waits.cut, "started")]).toEqual([
      "TaskStopped Timeout",
      300,
      true,
    ])
    expect(waits.starts).toHaveLength(1)
    const { call, clock, lose, starts } = replaying()
    const runs = call("cut", (_, { signal }) => untilStopped(signal), { timeout: 300 })
    await clock.advance(200)
    lose()
    await clock.advance(99)
    expect(starts).toEqual(["cut on 1 at 0", "cut on 2 at 200"])
    expect(runs.outcome).toBe("pending")
    await clock.advance(1)
    expect(runs).toMatchObject({ outcome: "TaskStopped Timeout", at: 300 })
  })

  test("L5, L18: its queue clock starts again when it is put back, and explain says until when it waits", async () => {
    const w: ReturnType<typeof replaying> = replaying(
      { timeouts: { ...timeouts, queue: 1000 } },
      (opening) => {
        if (opening.serial === 1) opening.onClose(() => w.clock.after(900))
      },
    )
    const { call, clock, lose, sessions } = w
    const cut = call("cut")
    await clock.advance(5000)
    lose()
    await clock.advance(800)
    expect(cut.outcome).toBe("pending")
    expect(sessions.explain("a").alive).toMatchObject([{ kind: "waiter", name: "cut", expiresAt: 6000 }])
    await clock.advance(100)
    expect(cut).toMatchObject({ outcome: "value 2", at: 5900 })
  })

  test("L18: events: TaskQueued, TaskStarted, TaskQueued, TaskStarted, TaskEnded, each with the generation it was on", async () => {
    const { call, clock, events, lose } = replaying()
    call("cut")
    await clock.advance(10)
    lose()
    await clock.advance(0)
    const told = events.flatMap((event) =>
      event._tag === "TaskQueued" || event._tag === "TaskStarted" || event._tag === "TaskEnded"
        ? [`${event._tag} ${event.task.id} ${event.task.state} ${event.session.serial} at ${event.at}`]
        : [],
    )
    const id = told[0]?.split(" ")[1]
    expect(told).toEqual([
      `TaskQueued ${id} queued 0 at 0`,
      `TaskStarted ${id} running 1 at 0`,
      `TaskQueued ${id} queued 1 at 10`,
      `TaskStarted ${id} running 2 at 10`,
      `TaskEnded ${id} succeeded 2 at 10`,
    ])
  })
})
