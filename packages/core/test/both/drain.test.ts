import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectReleasedOnce, fieldOf, watch } from "../support/watch.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial
const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
  )

describe.each(faces)("$face", ({ world }) => {
  test("L14: idle sessions close at once and in parallel; the report counts them, and is given to every call", async () => {
    const { clock, ledger, sessions, story } = world({}, ({ onClose }) => onClose(() => clock.after(100)))
    for (const key of ["a", "b", "c"]) await sessions.run(key, serialOf)
    const [first, second] = [sessions.drain(), sessions.drain()]
    await clock.advance(100)
    const report = await first
    expect(report).toEqual({ finished: 0, cut: [], closed: 3, leaked: [], durationMs: 100 })
    expect(await second).toBe(report)
    expect(await sessions.drain({ finishWithin: 0 })).toBe(report)
    expect(sessions.snapshot().phase).toBe("drained")
    expect(story().filter((line) => line === "Closed Drained").length).toBe(3)
    expect(story().slice(-1)).toEqual(["DrainEnded"])
    expectReleasedOnce(ledger)
  })

  test("L14: a registry that was never used drains at once; then it is closed for good", async () => {
    const { ledger, sessions } = world()
    expect(await sessions.drain()).toMatchObject({ finished: 0, closed: 0, durationMs: 0 })
    const refused = watchless(sessions.run("a", serialOf))
    expect(await refused).toMatchObject({ _tag: "SessionRefused", reason: "Draining" })
    expect(await outcomeOf(sessions.lease("a"))).toBe("SessionRefused Draining")
    expect(await sessions.close("a")).toBeUndefined()
    expect(ledger.opened).toBe(0)
    expect(sessions.explain("a").state).toBe("Closed")
  })

  test("L14: what runs may finish, what is queued is refused, what is new is refused, nothing is opened again", async () => {
    const { clock, sessions } = world()
    const held = gate<string>()
    const running = watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    const queued = watch(clock, sessions.run("a", serialOf))
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: 10_000 }))
    const late = watch(clock, sessions.run("a", serialOf))
    const elsewhere = watch(clock, sessions.run("b", serialOf))
    await settle()
    expect([queued, late, elsewhere].map((one) => one.outcome)).toEqual(
      Array(3).fill("SessionRefused Draining"),
    )
    expect(running.outcome).toBe("pending")
    await clock.advance(5000)
    held.open("done")
    await settle()
    expect(running.outcome).toBe("value done")
    expect(draining.value).toEqual({ finished: 1, cut: [], closed: 1, leaked: [], durationMs: 5000 })
  })

  test("L14: at the end of its time what runs is told to stop, and the report says so, truly", async () => {
    const { clock, sessions } = world()
    const obeys = watch(
      clock,
      sessions.run("a", (_, { signal }) => stopped(signal), { name: "obeys" }),
    )
    const returns = watch(
      clock,
      sessions.run("b", (_, { signal }) => stopped(signal).catch(() => "finished all the same"), {
        name: "returns",
      }),
    )
    await settle()
    const draining = sessions.drain({ finishWithin: 1000 })
    await clock.advance(999)
    expect([obeys.outcome, returns.outcome]).toEqual(["pending", "pending"])
    await clock.advance(1)
    expect(obeys).toMatchObject({ outcome: "TaskStopped Drained", at: 1000 })
    const report = await draining
    expect(report).toMatchObject({ finished: 0, closed: 2, leaked: [], durationMs: 1000 })
    const cut = new Map(report.cut.map((task) => [task.name, task.state]))
    expect(cut.get("obeys")).toBe("interrupted")
    // An interrupted fiber's value is lost; a promise that still returns one has succeeded.
    expect(cut.get("returns")).toBe(returns.outcome.startsWith("value") ? "succeeded" : "interrupted")
  })

  test("L14: a second, shorter drain hurries; a longer one changes nothing", async () => {
    const { clock, sessions } = world()
    const running = watch(
      clock,
      sessions.run("a", (_, { signal }) => stopped(signal)),
    )
    await settle()
    const first = watch(clock, sessions.drain({ finishWithin: 10_000 }))
    await clock.advance(100)
    const longer = watch(clock, sessions.drain({ finishWithin: 60_000 }))
    await clock.advance(100)
    const shorter = watch(clock, sessions.drain({ finishWithin: 300 }))
    await clock.advance(299)
    expect(running.outcome).toBe("pending")
    await clock.advance(1)
    expect(running).toMatchObject({ outcome: "TaskStopped Drained", at: 500 })
    expect([first.at, longer.at, shorter.at]).toEqual([500, 500, 500])
    expect(first.value).toBe(shorter.value)
  })

  test("L14: an unlimited drain waits as long as it takes, until a call that says now", async () => {
    const { clock, sessions } = world({ timeouts: { silence: "Infinity" } })
    const running = watch(
      clock,
      sessions.run("a", (_, { signal }) => stopped(signal)),
    )
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: "Infinity" }))
    await clock.advance(3_600_000)
    expect([running.outcome, draining.outcome]).toEqual(["pending", "pending"])
    void sessions.drain({ finishWithin: 0 })
    await settle()
    expect([running.outcome, draining.outcome]).toEqual(["TaskStopped Drained", "value [object Object]"])
  })

  test("L14: hung turn, hung opening and hung finalizer together end within finishWithin + max(grace, 5 s) + close", async () => {
    const { clock, sessions } = world({ timeouts: { grace: 2000, close: 3000 } }, ({ key, onClose }) => {
      onClose(() => (key === "finalizer" ? gate().promise : undefined))
      return key === "opening" ? gate().promise : undefined
    })
    const told = [
      watch(
        clock,
        sessions.run("turn", () => gate().promise),
      ),
      watch(clock, sessions.run("opening", serialOf)),
    ]
    await sessions.run("finalizer", serialOf)
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: 1000 }))
    await clock.advance(60_000)
    expect(draining.at).toBeLessThanOrEqual(1000 + 5000 + 3000)
    const { closed, cut, leaked } = draining.value as Awaited<ReturnType<typeof sessions.drain>>
    expect(closed).toBe(3)
    expect(leaked.map((ref) => ref.key).toSorted()).toEqual(["finalizer", "opening", "turn"])
    expect(cut.map((task) => [task.session.key, task.state])).toEqual([["turn", "interrupted"]])
    expect(told.map((one) => [one.outcome, one.at])).toEqual([
      ["TaskStopped Drained", 3000],
      ["SessionRefused Draining", 0],
    ])
    expect(fieldOf(told[0] ?? draining, "abandoned")).toBe(true)
  })

  test("L14, L22: nested calls of what runs are served until the cut, also on a key that must be opened", async () => {
    const { clock, ledger, sessions } = world()
    const begin = gate()
    const outer = watch(
      clock,
      sessions.run("a", async () => {
        await begin.promise
        const inner = await sessions.run("new", (thing) => thing.key)
        return `${inner} ${await sessions.run("new", serialOf)}`
      }),
    )
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: 1000 }))
    await clock.advance(500)
    begin.open()
    await settle()
    // Idle between the two, it may have been closed and opened again.
    expect(outer.outcome).toMatch(/^value new [23]$/)
    expect(draining.outcome).toBe("value [object Object]")
    expect(ledger.live).toBe(0)
  })

  test("L14, L22: at the cut nested calls end with their callers, and none is served afterwards", async () => {
    const { clock, sessions } = world()
    const after = gate()
    const inner: Array<string> = []
    const outer = watch(
      clock,
      sessions.run("a", async () => {
        void sessions
          .run("b", (_, { signal }) => stopped(signal))
          .catch((error: Error) => inner.push(`${error.name} at ${clock.now}`))
        await after.promise
        return outcomeOf(sessions.run("c", serialOf))
      }),
    )
    await settle()
    const draining = watch(clock, sessions.drain({ finishWithin: 1000 }))
    await clock.advance(1000)
    after.open()
    await clock.advance(20_000)
    expect(draining.outcome).toBe("value [object Object]")
    expect(inner).toEqual(["TaskStopped at 1000"])
    expect(outer.outcome).not.toContain("value 3")
    expect(sessions.explain("c").state).toBe("Closed")
  })

  test("L14, L7: a drain from inside a turn is refused at once", async () => {
    const { sessions } = world()
    const inside = sessions.run("a", () => outcomeOf(sessions.drain()))
    expect(await inside).toBe("SessionMisuse ReentrantClose")
    expect(sessions.snapshot().phase).toBe("accepting")
  })

  test("L14: leaving a block drains", async () => {
    const { ledger, registry, sessions } = world()
    await sessions.run("a", serialOf)
    await sessions[Symbol.asyncDispose]()
    expect([registry.phase, ledger.live]).toEqual(["drained", 0])
  })
})

const watchless = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "served",
    (error: unknown) => error,
  )
