import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"
import { watching } from "./support.ts"

const patient = { maxQueued: 100_000, timeouts: { queue: "Infinity", silence: "30 minutes" } } as const

describe.each(faces)("$face", ({ world }) => {
  test("L16: tasks-accumulating, when more is handed in than ends; it clears when half of that is done", async () => {
    const w = world(patient)
    using it = watching(w, { thresholds: { "task-overdue": false, "queue-wait": false } })
    const handIn = (): void =>
      void watch(
        w.clock,
        w.sessions.run("a", () => w.clock.after(2000)),
      )
    let raisedAt: number | undefined
    for (let second = 0; second < 90; second++) {
      handIn()
      await w.clock.advance(1000)
      if (raisedAt === undefined && it.one("tasks-accumulating") !== undefined) raisedAt = second + 1
    }
    // Four quarters of 15 looks, from the first with two tasks.
    expect(raisedAt).toBeGreaterThan(60)
    expect(raisedAt).toBeLessThan(65)
    const { evidence } = it.one("tasks-accumulating") ?? {}
    expect(evidence?.["floor"]).toBeGreaterThan(evidence?.["before"] ?? Infinity)
    expect(it.raised()).toEqual(["tasks-accumulating"])
    // 45 wait; one ends every two seconds.
    expect(await it.until("tasks-accumulating", false)).toBeGreaterThan(20)
    expect(w.sessions.explain("a").tasks.length).toBeGreaterThan(5)
    await w.clock.advance(60_000)
    expect([it.raised(), it.watch.kept]).toEqual([[], 0])
  })

  test("L16: tasks-accumulating is not raised by bursts, however high, nor by a queue that stays as long as it is", async () => {
    const w = world(patient)
    using it = watching(w)
    for (let round = 0; round < 12; round++) {
      for (let burst = 0; burst < 20 + round * 5; burst++)
        void watch(
          w.clock,
          w.sessions.run("bursts", () => w.clock.after(100)),
        )
      if (round === 0)
        for (let standing = 0; standing < 30; standing++)
          void watch(
            w.clock,
            w.sessions.run("standing", () => gate().promise, { silence: "Infinity" }),
          )
      await w.clock.advance(10_000)
    }
    expect(it.warnings.counts()["tasks-accumulating"].activations).toBe(0)
  })

  test("L16: pending-high, after 5 s of 100 tasks; it clears 15 s after most of them have ended", async () => {
    const w = world(patient)
    using it = watching(w)
    const held = gate()
    const calls = Array.from({ length: 100 }, () =>
      watch(
        w.clock,
        w.sessions.run("a", () => held.promise),
      ),
    )
    expect(await it.until("pending-high", true)).toBe(5)
    expect(it.one("pending-high")).toMatchObject({
      id: "L02",
      scope: "session",
      kind: w.sessions.name,
      session: { key: "a" },
      task: undefined,
      since: 5000,
      evidence: { pending: 100, queued: 99, maxQueued: 100_000 },
      docs: "docs/warnings/pending-high.md",
    })
    expect(it.raised()).toEqual(["pending-high"])
    const since = it.one("pending-high")
    for (let n = 0; n < 20; n++)
      void watch(
        w.clock,
        w.sessions.run("a", () => held.promise),
      )
    await w.clock.advance(1000)
    // The same one, with what is so now.
    expect(it.one("pending-high")).toBe(since)
    expect(since).toMatchObject({ since: 5000, evidence: { pending: 120, queued: 119 } })
    held.open()
    expect(await it.until("pending-high", false)).toBe(15)
    expect(calls.at(-1)?.outcome).toBe("value undefined")
  })

  test("L16: pending-high is raised neither by 99 tasks, nor by 100 for 4 s; a queue that may be long, by four fifths of it", async () => {
    const w = world(patient)
    using it = watching(w)
    const held = gate()
    for (let n = 0; n < 99; n++)
      void watch(
        w.clock,
        w.sessions.run("a", () => held.promise),
      )
    await w.clock.advance(10_000)
    const last = new AbortController()
    void watch(
      w.clock,
      w.sessions.run("a", () => held.promise, { signal: last.signal }),
    )
    await w.clock.advance(4000)
    last.abort(new Error("gone"))
    await w.clock.advance(20_000)
    expect(it.warnings.counts()["pending-high"].activations).toBe(0)

    const short = world({ maxQueued: 10, timeouts: patient.timeouts })
    using its = watching(short)
    for (let n = 0; n < 8; n++)
      void watch(
        short.clock,
        short.sessions.run("a", () => held.promise),
      )
    await short.clock.advance(10_000)
    expect(its.one("pending-high")).toBeUndefined()
    void watch(
      short.clock,
      short.sessions.run("a", () => held.promise),
    )
    expect(await its.until("pending-high", true)).toBe(5)

    // A queue that is meant to be short is meant to be full.
    const tiny = world({ maxQueued: 2, timeouts: patient.timeouts })
    using none = watching(tiny)
    for (let n = 0; n < 3; n++)
      void watch(
        tiny.clock,
        tiny.sessions.run("a", () => held.promise),
      )
    await tiny.clock.advance(20_000)
    expect([none.raised(), tiny.sessions.explain("a").tasks.length]).toEqual([[], 3])
    held.open()
  })

  test("L16: task-overdue, of a turn without peers after 30 s; it clears with the task's end", async () => {
    const w = world(patient)
    using it = watching(w)
    const held = gate()
    const call = watch(
      w.clock,
      w.sessions.run("a", () => held.promise, { name: "report" }),
    )
    await w.clock.advance(30_000)
    expect(it.raised()).toEqual([])
    expect(await it.until("task-overdue", true)).toBe(1)
    expect(it.one("task-overdue")).toMatchObject({
      scope: "task",
      task: { id: "t1", name: "report" },
      session: { key: "a" },
      evidence: { ageMs: 31_000, limitMs: 30_000, usualMs: 0, samples: 0 },
    })
    held.open()
    await w.clock.advance(1000)
    expect([it.raised(), call.outcome]).toEqual([[], "value undefined"])
    expect(it.warnings.recent().map(({ at, what }) => [what, at])).toEqual([
      ["cleared", 32_000],
      ["raised", 31_000],
    ])
  })

  test("L16: task-overdue goes by the task's peers once there are twenty, and never by what is declared to be long", async () => {
    const w = world({ ...patient, concurrency: 100 })
    using it = watching(w, { thresholds: { "task-no-progress": false } })
    for (let n = 0; n < 20; n++)
      void watch(
        w.clock,
        w.sessions.run("a", () => w.clock.after(9000), { name: "usual" }),
      )
    await w.clock.advance(20_000)
    const held = gate()
    for (const [name, silence] of [
      ["usual", "20 minutes"],
      ["declared", "Infinity"],
    ] as const)
      void watch(
        w.clock,
        w.sessions.run("a", () => held.promise, { name, silence }),
      )
    // Ten times what 95 % of them took; a percentile is too large by at most an eighth.
    await w.clock.advance(90_000)
    expect(it.raised()).toEqual([])
    expect(await it.until("task-overdue", true, 20)).toBeLessThanOrEqual(13)
    expect(it.one("task-overdue")?.evidence["samples"]).toBe(20)
    await w.clock.advance(600_000)
    expect(it.raised()).toEqual(["task-overdue"])
    held.open()
  })

  test("L16: of background work nothing is said by its age alone", async () => {
    const w = world(patient)
    using it = watching(w, { thresholds: { "task-no-progress": false } })
    await w.sessions.run("a", (_, task) => task.background("sync", () => gate().promise))
    await w.clock.advance(300_000)
    expect(it.raised()).toEqual([])
  })

  test("L16 L13: task-no-progress, after a minute without a sign of life; one clears it", async () => {
    const w = world({ timeouts: { silence: "5 minutes", queue: "Infinity" } })
    using it = watching(w, { thresholds: { "task-overdue": false } })
    const beat = gate()
    const held = gate()
    void watch(
      w.clock,
      w.sessions.run("a", async (_, task) => {
        await beat.promise
        task.progress("half")
        await held.promise
      }),
    )
    await w.clock.advance(60_000)
    expect(it.raised()).toEqual([])
    expect(await it.until("task-no-progress", true)).toBeLessThanOrEqual(2)
    expect(it.one("task-no-progress")?.evidence).toMatchObject({ silenceMs: 300_000 })
    beat.open()
    // Two looks raise it, six clear it; while nothing else happens the first comes within five.
    const cleared = await it.until("task-no-progress", false)
    expect(cleared).toBeGreaterThanOrEqual(6)
    expect(cleared).toBeLessThanOrEqual(10)
    held.open()
  })

  test("L16 L13: task-no-progress is not raised of a task that gives signs of life, may be silent for long, or waits for a call", async () => {
    const w = world({ concurrency: 4, timeouts: { queue: "Infinity" } })
    using it = watching(w, { thresholds: { "task-overdue": false } })
    void watch(
      w.clock,
      w.sessions.run("a", async (_, task) => {
        for (let n = 0; n < 10; n++) {
          await w.clock.after(40_000)
          task.progress()
        }
      }),
    )
    void watch(
      w.clock,
      w.sessions.run("a", () => gate().promise, { silence: "40 minutes" }),
    )
    void watch(
      w.clock,
      w.sessions.run("a", () =>
        w.sessions.run("b", async (_, task) => {
          for (let n = 0; n < 10; n++) {
            await w.clock.after(40_000)
            task.progress()
          }
        }),
      ),
    )
    await w.clock.advance(300_000)
    expect(it.raised()).toEqual([])
    // A fifth of 40 minutes.
    expect(await it.until("task-no-progress", true, 400)).toBeGreaterThan(175)
  })

  test("L16 L6: uninterruptible, 5 s after a task was told to stop and has not ended; it clears with its end", async () => {
    const w = world(patient)
    using it = watching(w, { thresholds: { "task-overdue": false } })
    const held = gate()
    const gone = new AbortController()
    void watch(
      w.clock,
      w.sessions.run("a", () => held.promise, { signal: gone.signal, name: "deaf" }),
    )
    await w.clock.advance(100_300)
    gone.abort(new Error("gone"))
    await w.clock.advance(4900)
    expect(it.one("uninterruptible")).toBeUndefined()
    expect(await it.until("uninterruptible", true)).toBeLessThanOrEqual(2)
    expect(it.one("uninterruptible")).toMatchObject({ task: { name: "deaf" }, scope: "task" })
    expect(it.raised()).toEqual(["uninterruptible"])
    held.open()
    await w.clock.advance(1000)
    expect(it.raised()).toEqual([])
  })

  test("L16 L6: of a task that was told to stop nothing else is said", async () => {
    const w = world()
    using it = watching(w)
    const gone = new AbortController()
    void watch(
      w.clock,
      w.sessions.run("a", () => gate().promise, { signal: gone.signal }),
    )
    await w.clock.advance(10_000)
    gone.abort(new Error("gone"))
    await w.clock.advance(100_000)
    expect(it.raised()).toEqual(["uninterruptible"])
  })

  test("L16: what a key does in its next life is seen as well, also when it began between two looks", async () => {
    const w = world(patient)
    using it = watching(w, { thresholds: { "task-no-progress": false } })
    const held = gate()
    void watch(
      w.clock,
      w.sessions.run("a", () => held.promise),
    )
    await w.clock.advance(1500)
    held.open()
    await w.sessions.close("a")
    void watch(
      w.clock,
      w.sessions.run("a", () => gate().promise),
    )
    await w.clock.advance(29_500)
    expect(it.raised()).toEqual([])
    await w.clock.advance(1000)
    expect(it.one("task-overdue")).toMatchObject({ task: { id: "t2" }, session: { key: "a" } })
  })

  test("L16 L6: uninterruptible is not raised of a task that ends in time", async () => {
    const w = world(patient)
    using it = watching(w)
    const gone = new AbortController()
    void watch(
      w.clock,
      w.sessions.run(
        "a",
        async (_, { signal }) => {
          await new Promise<void>((resolve) =>
            signal.addEventListener("abort", () => resolve(), { once: true }),
          )
          await w.clock.after(4500)
        },
        { signal: gone.signal },
      ),
    )
    await w.clock.advance(1000)
    gone.abort(new Error("gone"))
    await w.clock.advance(30_000)
    expect(it.warnings.counts().uninterruptible.activations).toBe(0)
  })

  test("L16: fan-out, when a turn starts more than a hundred tasks; it clears three looks later", async () => {
    const w = world(patient)
    using it = watching(w, { thresholds: { "pending-high": false } })
    const held = gate()
    const spawn = async (count: number): Promise<void> => {
      await w.sessions.run("a", (_, task) => {
        for (let n = 0; n < count; n++) task.background("piece", () => held.promise)
      })
    }
    await spawn(100)
    await w.clock.advance(5000)
    expect(it.warnings.counts()["fan-out"].activations).toBe(0)
    await spawn(101)
    expect(await it.until("fan-out", true)).toBe(1)
    expect(it.one("fan-out")).toMatchObject({ severity: "notice", evidence: { grown: 101, pending: 201 } })
    expect(await it.until("fan-out", false)).toBe(3)
    held.open()
  })

  test("L16: what ran before anybody watched is no fan-out, and is seen as overdue at once", async () => {
    const w = world({ ...patient, concurrency: 300 })
    const held = gate()
    for (let n = 0; n < 200; n++)
      void watch(
        w.clock,
        w.sessions.run("a", () => held.promise),
      )
    void watch(
      w.clock,
      w.sessions.run("b", () => held.promise),
    )
    await settle()
    await w.clock.advance(40_000)
    using it = watching(w)
    void watch(
      w.clock,
      w.sessions.run("a", () => held.promise),
    )
    await w.clock.advance(3000)
    expect(it.warnings.counts()["fan-out"].activations).toBe(0)
    expect(it.raised()).toEqual(["task-overdue x201"])
    held.open()
    await w.clock.advance(1000)
    expect(it.raised()).toEqual([])
  })
})
