import { describe, expect, test } from "vitest"
import { engine as world, nothing, wrong, type Engine } from "../support/engine.ts"
import { breaking, fatalIn, mistake, processWarnings } from "../support/mistakes.ts"
import { settle } from "../support/VirtualClock.ts"

/** Others are served, their clocks ring, and it can be shut down. */
const expectAllElseWell = async ({ clock, defects, drained, run }: Engine): Promise<void> => {
  const neighbour = run("neighbour")
  expect([neighbour.told, neighbour.value]).toEqual(["succeeded", "done"])
  const late = run("late", { begin: nothing, stop: nothing }, { timeout: 50 })
  await clock.advance(50)
  expect(late.told).toBe("timedOut")
  expect(defects().length).toBeGreaterThan(0)
  expect(await drained()).toBe(true)
}

const warned = processWarnings()

describe("a mistake of the engine", () => {
  test("L20: while a task is handed in: its caller is refused, with the mistake as the cause; the next is served", async () => {
    const w = world()
    const { defects, registry, run } = w
    run("a")
    breaking(registry.monitor, "taskStarted")
    const refused = run("a")
    expect(refused.told).toBe("rejected")
    expect(refused.value).toMatchObject({ _tag: "SessionRefused", reason: "Closed", cause: mistake })
    expect(String(Reflect.get(refused.value as object, "message"))).toContain("Please report it")
    await settle()
    expect(defects().at(-1)).toMatchObject({ evidence: { defects: registry.monitor.defects } })
    await expectAllElseWell(w)
  })

  test("L20: when a task begins: all others that begin in the same step do, and its own caller is told in the end", async () => {
    const w = world({ concurrency: 3, timeouts: { silence: 1000, grace: 100 } })
    const { clock, registry, run } = w
    const first = [0, 1, 2].map(() => run("a", { begin: nothing }))
    const queued = [run("a", { begin: nothing }), run("a", { begin: wrong }), run("a", { begin: nothing })]
    const other = run("b", { begin: nothing })
    // One step, in which all three slots come free.
    registry.steps.after(() => {
      for (const task of first) task.ends()
    })
    registry.steps.commit()
    expect(queued.map(({ began }) => began)).toEqual([1, 1, 1])
    expect(registry.monitor.defects).toBe(1)
    for (const task of [queued[0], queued[2], other]) task?.ends()
    expect([queued[0]?.told, queued[2]?.told, other.told]).toEqual(["succeeded", "succeeded", "succeeded"])
    await clock.advance(2000)
    expect(queued[1]?.told).toBeDefined()
    const next = run("a")
    await clock.advance(0)
    expect(next.told).toBe("succeeded")
    await expectAllElseWell(w)
  })

  test("L20: when a task is told to stop: the others are told to, and the close ends", async () => {
    const w = world({ concurrency: 3, timeouts: { grace: 100 } })
    const { clock, registry, run } = w
    const running = [
      run("a", { begin: nothing }),
      run("a", { begin: nothing, stop: wrong }),
      run("a", { begin: nothing }),
    ]
    let report: unknown
    const session = registry.sessions.get("a")
    if (session !== undefined) registry.closing.request(session, 0, (told) => (report = told))
    expect([running[0]?.told, running[2]?.told]).toEqual(["succeeded", "succeeded"])
    await clock.advance(200)
    expect(running[1]?.told).toBe("interrupted")
    await clock.advance(20_000)
    expect(report).toMatchObject({ reason: "Requested" })
    await expectAllElseWell(w)
  })

  test("L20, L5: when a caller is told: it is told once, and those behind it in the queue go on", async () => {
    const w = world()
    const { clock, run } = w
    const first = run("a", {
      begin: (task) => void Promise.resolve().then(() => task.ends()),
      deliver: wrong,
    })
    const behind = [run("a"), run("a")]
    const fatal = await fatalIn(async () => {
      await clock.advance(1000)
    })
    expect(first.told).toBe("succeeded")
    expect(behind.map(({ told }) => told)).toEqual(["succeeded", "succeeded"])
    expect(fatal).toEqual([])
    await expectAllElseWell(w)
  })

  test("L20, L5: when a task has ended: its caller is told of the mistake, and not that its work had failed", async () => {
    const w = world()
    const { clock, registry, run } = w
    const hit = breaking(registry.turns, "settle")
    const ends = run("a", { begin: (task) => void Promise.resolve().then(() => task.ends()) })
    await clock.advance(0)
    expect(hit()).toBe(true)
    expect(ends.told).toBe("rejected")
    expect(ends.value).toMatchObject({ _tag: "SessionRefused", cause: mistake })
    await expectAllElseWell(w)
  })

  test("L20: in one deadline: all others that are due at that moment are carried out", async () => {
    const w = world({ maxSessions: 1, timeouts: { seat: 500 } })
    const { clock, registry, run } = w
    run("busy", { begin: nothing })
    const waiting = [run("a"), run("b", { deliver: wrong }), run("c")]
    registry.timetable.at("grace", 500, wrong)
    let rang = 0
    registry.timetable.at("drain", 500, () => rang++)
    await clock.advance(500)
    expect(waiting.map(({ told }) => told)).toEqual(["rejected", "rejected", "rejected"])
    expect([rang, registry.monitor.defects]).toEqual([1, 2])
    // The seat that the mistaken one waited for is not lost.
    const next = run("busy", {}, { whenBusy: "replace" })
    await clock.advance(5000)
    expect(next.told).toBeDefined()
  })

  test("L20: in who waits for a close, and in what was put down for later: the rest is carried out, in order", async () => {
    const w = world()
    const { registry, run } = w
    const order: Array<number> = []
    registry.steps.after(() => order.push(1))
    registry.steps.after(wrong)
    registry.steps.after(() => {
      order.push(2)
      registry.steps.after(() => order.push(4))
    })
    registry.steps.after(() => order.push(3))
    registry.steps.after(wrong)
    registry.steps.commit()
    expect([order, registry.monitor.defects]).toEqual([[1, 2, 3, 4], 2])
    run("a")
    const told: Array<unknown> = []
    const session = registry.sessions.get("a")
    if (session !== undefined) {
      registry.closing.restart(session, 0, wrong)
      registry.closing.request(session, 0, (report) => told.push(report))
    }
    expect(told).toHaveLength(1)
    await expectAllElseWell(w)
  })

  test("L20, L10: in a driver that cannot open: who waits is told, and its neighbours open", async () => {
    let first = true
    const w = world(
      {},
      {
        open: (generation) => {
          if (generation.session.key === "a" && first) {
            first = false
            throw mistake
          }
          generation.session.registry.opening.settled(generation, true, "resource")
        },
      },
    )
    const { clock, registry, run } = w
    const [a, b] = [run("a"), run("b")]
    expect([a.told, b.told]).toEqual(["rejected", "succeeded"])
    expect(a.value).toMatchObject({ cause: mistake })
    await clock.advance(200)
    expect(run("a").told).toBe("succeeded")
    // Not the user's open has failed: it is counted as what it is.
    expect(registry.monitor.defects).toBe(1)
    await expectAllElseWell(w)
  })

  test("L20, L13: in a driver that cannot give up an opening: it is abandoned in its time, and the key goes on", async () => {
    let hangs = true
    const w = world(
      { timeouts: { open: 1000, close: 300 } },
      {
        open: (generation) => {
          if (!hangs) generation.session.registry.opening.settled(generation, true, "resource")
        },
        abort: wrong,
      },
    )
    const { clock, run } = w
    const hung = run("a")
    await clock.advance(1000)
    expect(hung.told).toBe("rejected")
    hangs = false
    const next = run("a")
    await clock.advance(5300)
    expect(next.told).toBe("succeeded")
    await expectAllElseWell(w)
  })

  test("L20, L16: is told to listeners each time, and the process is warned once", async () => {
    await settle()
    const before = warned.length
    const w = world()
    for (let count = 1; count <= 3; count++) {
      w.registry.steps.after(wrong)
      w.registry.steps.commit()
      await settle()
      expect(w.registry.monitor.defects).toBe(count)
    }
    expect(w.defects()).toMatchObject([1, 2, 3].map((defects) => ({ evidence: { defects } })))
    expect(warned.slice(before)).toEqual(["SojournDefect"])
  })
})
