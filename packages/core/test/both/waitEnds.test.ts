import { describe, expect, test } from "vitest"
import type { Explanation } from "../../src/observe/Explanation.ts"
import { faces } from "../support/faces.ts"
import { withHeap } from "../support/inner.ts"
import { leaking } from "../support/leaking.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { outages } from "../support/outage.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

const serial = (thing: Thing): number => thing.serial

/** What those who wait are told: the phase, how many are ahead, and the clock that ends it. */
const waits = ({ tasks }: Explanation): ReadonlyArray<string> =>
  tasks
    .filter(({ state }) => state === "queued")
    .map(
      ({ behind, name, waitEnds, waitsFor }) =>
        `${name}: ${waitsFor} behind ${behind}, ${waitEnds === undefined ? "no clock" : `${waitEnds.clock} at ${waitEnds.at}`}`,
    )

describe.each(faces)("$face", ({ world }) => {
  test("L18: the first of its clocks ends a wait: its own timeout, the seat, the queue; or none", async () => {
    const { clock, sessions } = world({ maxSessions: 1, timeouts: { seat: 2000, queue: 10_000 } })
    const held = gate()
    watch(
      clock,
      sessions.run("busy", () => held.promise),
    )
    await clock.advance(500)
    const run = (name: string, timeout?: number): void =>
      void watch(clock, sessions.run("a", serial, { name, timeout }))
    run("hurried", 100)
    run("patient")
    await clock.advance(50)
    run("slow", 60_000)
    watch(clock, sessions.run("busy", serial, { name: "queued", timeout: 20_000 }))
    expect(waits(sessions.explain("a"))).toEqual([
      "hurried: seat behind 0, timeout at 600",
      "patient: seat behind 1, seat at 2500",
      "slow: seat behind 2, seat at 2550",
    ])
    expect(waits(sessions.explain("busy"))).toEqual(["queued: turn behind 1, queue at 10550"])
    expect(String(sessions.explain("a"))).toContain(
      '"hurried" waits for a place among maxSessions, at most 50 ms more (its timeout)',
    )
    // What it says comes true.
    const patient = sessions.explain("a").tasks[1]
    await clock.advance((patient?.waitEnds?.at ?? 0) - clock.now - 1)
    expect(waits(sessions.explain("a"))).toHaveLength(2)
    await clock.advance(1)
    expect(waits(sessions.explain("a"))).toEqual(["slow: seat behind 0, seat at 2550"])
  })

  test("L18: without any clock nothing ends it, and nothing is said of it", async () => {
    const { clock, sessions } = world({ timeouts: { queue: "Infinity" } })
    const held = gate()
    watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    await clock.advance(0)
    watch(clock, sessions.run("a", serial, { name: "patient" }))
    expect(waits(sessions.explain("a"))).toEqual(["patient: turn behind 1, no clock"])
    expect(String(sessions.explain("a"))).toContain('"patient" waits for its turn, 1 ahead of it.')
  })

  test("L18: the seat's clock ends with the seat, and begins anew in a second line", async () => {
    const clock = new VirtualClock()
    const { heap, sessions } = withHeap(
      world({ maxHeap: 0.5, timeouts: { seat: 3000, queue: 60_000 } }, () => clock.after(1000), clock),
    )
    watch(
      clock,
      sessions.run("a", (thing) => clock.after(500).then(() => thing.opening.broken("dead"))),
    )
    await clock.advance(0)
    watch(clock, sessions.run("a", serial, { name: "next" }))
    expect(waits(sessions.explain("a"))).toEqual([
      "run: open behind 0, queue at 60000",
      "next: open behind 1, queue at 60000",
    ])
    heap.share = 0.9
    await clock.advance(1000)
    expect(waits(sessions.explain("a"))).toEqual(["next: turn behind 1, queue at 60000"])
    await clock.advance(1000)
    expect(waits(sessions.explain("a"))).toEqual(["next: seat behind 0, seat at 4500"])
    heap.share = 0
    await clock.advance(1500)
    expect(waits(sessions.explain("a"))).toEqual(["next: open behind 0, queue at 60000"])
  })

  test("L18: the phases: seat, open, turn, probe, restart, leak, backoff", async () => {
    const asked = gate<boolean>()
    const w = leaking(world)(
      { onLeak: "wait", timeouts: { close: 300, seat: 60_000 }, restart: { delay: 1000 } },
      true,
      (opening) => {
        if (opening.serial === 1) opening.probe(() => asked.promise, { trustFor: 0 })
        if (opening.serial === 1) return w.clock.after(100)
        if (opening.serial === 2) throw new Error("no database")
        return undefined
      },
    )
    const { clock, ends, sessions, use } = w
    const phase = (): string | undefined =>
      sessions.explain("a").tasks.find(({ state }) => state === "queued")?.waitsFor
    const phases: Array<string | undefined> = []
    use()
    phases.push(phase())
    await clock.advance(100)
    use()
    await clock.advance(10)
    phases.push(phase())
    asked.open(true)
    await clock.advance(10)
    const found = gate()
    watch(
      clock,
      sessions.run("a", (thing) => found.promise.then(() => thing.opening.broken("dead"))),
    )
    await clock.advance(0)
    use()
    phases.push(phase())
    found.open()
    await clock.advance(100)
    phases.push(phase())
    await clock.advance(300)
    phases.push(phase())
    ends(1)
    await clock.advance(0)
    ends(2)
    await clock.advance(0)
    use()
    await clock.advance(10)
    phases.push(phase())
    expect(phases).toEqual(["open", "probe", "turn", "restart", "leak", "backoff"])
  })

  test("L18: who waits behind a barrier waits for the next generation", async () => {
    const { clock, sessions } = world()
    const held = gate()
    watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    await clock.advance(0)
    void sessions.restart("a", { finishWithin: 5000 })
    watch(clock, sessions.run("a", serial, { name: "next" }))
    expect(waits(sessions.explain("a"))).toEqual(["next: restart behind 1, queue at 300000"])
  })

  test("L18: in an outage: when the next may be tried, for a key that waits and for one that was refused", async () => {
    const w = outages(world)({ restart: { eager: true, delay: 0 } })
    const { backend, clock, failures, sessions, use } = w
    use("a")
    await clock.advance(0)
    backend.down = true
    await failures(20)
    expect(sessions.explain("a").restarts.nextAt).toBeUndefined()
    await sessions.run("a", (thing) => thing.opening.broken("dead"))
    await clock.advance(250)
    expect(sessions.explain("a")).toMatchObject({ state: "Backoff", restarts: { nextAt: 750 } })
    expect(sessions.explain("f1")).toMatchObject({ state: "Closed", restarts: { nextAt: 750 } })
    expect(String(sessions.explain("a"))).toContain("Not opened before 500 ms from now")
    backend.down = false
    await clock.advance(500)
    expect(sessions.explain("a")).toMatchObject({ state: "Ready", restarts: { nextAt: undefined } })
    expect(sessions.explain("f1").restarts.nextAt).toBeUndefined()
  })

  test("L18, L16: names, keys and notes that others chose are shown harmlessly wherever a person reads them", async () => {
    const { clock, sessions } = world({ maxSessions: 1 })
    const name = "\u001b[31m\u202e\r\n\u2028evil"
    const held = gate()
    watch(
      clock,
      sessions.run(
        { owner: name, id: name },
        (_, task) => {
          task.progress(name)
          return held.promise
        },
        { name },
      ),
    )
    await clock.advance(0)
    watch(clock, sessions.run({ owner: name, id: name }, serial, { name: `${name} ${"x".repeat(400)}` }))
    const words = String(sessions.explain({ owner: name, id: name }))
    expect(words).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(words.match(/evil/g)?.length).toBeGreaterThanOrEqual(3)
    expect(words.length).toBeLessThan(2000)
  })
})
