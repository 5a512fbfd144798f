import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { processReadings } from "../../src/warnings/processReadings.ts"
import { promiseFace } from "../../src/testing/laws/world.ts"
import { watch } from "../support/watch.ts"
import { settle } from "../support/VirtualClock.ts"
import { calmProcess, watching, type Watching } from "./support.ts"

const { world } = promiseFace

describe("warnings of the process, over readings that are given", () => {
  const over = (
    reading: (second: number) => Partial<typeof calmProcess>,
  ): { it: Watching; seconds: (count: number) => Promise<void>; [Symbol.dispose]: () => void } => {
    const w = world()
    const it = watching(w)
    let second = 0
    return {
      it,
      seconds: async (count) => {
        for (let n = 0; n < count; n++) {
          it.process.reading = { ...calmProcess, ...reading(second++) }
          await w.clock.advance(1000)
        }
      },
      [Symbol.dispose]: () => it[Symbol.dispose](),
    }
  }

  test("L16: loop-stall, of 100 ms in one second; three seconds without clear it", async () => {
    let stall = 99
    using w = over(() => ({ stall }))
    await w.seconds(10)
    expect(w.it.raised()).toEqual([])
    stall = 100
    await w.seconds(1)
    expect(w.it.one("loop-stall")).toMatchObject({
      scope: "process",
      kind: undefined,
      session: undefined,
      evidence: { stallMs: 100 },
    })
    stall = 0
    await w.seconds(2)
    expect(w.it.raised()).toEqual(["loop-stall"])
    await w.seconds(1)
    expect(w.it.raised()).toEqual([])
  })

  test("L16: loop-stall, of 10 ms in the median of ten seconds in a row", async () => {
    let median = 10
    using w = over(() => ({ median }))
    await w.seconds(9)
    median = 9
    await w.seconds(1)
    median = 10
    await w.seconds(9)
    expect(w.it.warnings.counts()["loop-stall"].activations).toBe(0)
    await w.seconds(1)
    expect(w.it.raised()).toEqual(["loop-stall"])
  })

  test("L16: loop-saturated, after ten seconds of 95 %; what cannot be seen changes nothing", async () => {
    let utilization: number | undefined = 0.96
    using w = over(() => ({ utilization }))
    await w.seconds(9)
    utilization = undefined
    await w.seconds(20)
    expect(w.it.raised()).toEqual([])
    utilization = 0.95
    await w.seconds(1)
    expect(w.it.raised()).toEqual(["loop-saturated"])
    utilization = 0.9
    await w.seconds(100)
    expect(w.it.raised()).toEqual(["loop-saturated"])
    utilization = 0.8
    await w.seconds(30)
    expect(w.it.raised()).toEqual([])
  })

  test("L16: heap-floor, when what collections leave rises for forty minutes to more than 70 %; it clears when it stops", async () => {
    const saw = (second: number, top: number): number => top - (second % 60 === 30 ? 0.2 : 0)
    let leaks = true
    let stopped = 0
    using w = over((second) => {
      if (leaks) stopped = second
      return { heapUsed: saw(second, 0.5 + (Math.min(second, stopped) / 2400) * 0.6) }
    })
    await w.seconds(2399)
    expect(w.it.raised()).toEqual([])
    await w.seconds(1)
    expect(w.it.one("heap-floor")?.evidence["floor"]).toBeGreaterThan(0.7)
    leaks = false
    await w.seconds(1210)
    expect(w.it.raised()).toEqual([])
  })

  test("L16: heap-floor is raised neither by garbage that is collected, nor below 70 %", async () => {
    using w = over((second) => ({ heapUsed: 0.3 + ((second % 500) / 500) * 0.6 }))
    await w.seconds(5000)
    expect(w.it.warnings.counts()["heap-floor"].activations).toBe(0)
    using low = over((second) => ({ heapUsed: 0.3 + second / 20_000 }))
    await low.seconds(5000)
    expect(low.it.warnings.counts()["heap-floor"].activations).toBe(0)
  })

  test("L16: resources-rising, by a hundred over ten minutes; not by fewer", async () => {
    using few = over((second) => ({ resources: 10 + Math.floor(second / 5) }))
    await few.seconds(1200)
    expect(few.it.warnings.counts()["resources-rising"].activations).toBe(0)
    let leaks = true
    let stopped = 0
    using w = over((second) => {
      if (leaks) stopped = second
      return { resources: 10 + Math.floor(Math.min(second, stopped) / 4) + (second % 7) * 50 }
    })
    await w.seconds(600)
    expect(w.it.one("resources-rising")).toMatchObject({ evidence: { before: 10 } })
    leaks = false
    await w.seconds(320)
    expect(w.it.raised()).toEqual([])
  })

  test("L16: where nothing can be seen of the process nothing is said of it", async () => {
    const unseen = {
      stall: undefined,
      median: undefined,
      utilization: undefined,
      heapUsed: undefined,
      resources: undefined,
    }
    const w = world()
    using it = watching(w)
    it.process.reading = unseen
    await w.clock.advance(3_000_000)
    expect([it.warnings.recent(), it.watch.errors]).toEqual([[], 0])
  })

  test("L16: telemetry-lossy, when a look comes two seconds late", async () => {
    const w = world()
    using it = watching(w)
    await w.clock.advance(5000)
    await w.clock.stall(3000)
    expect(it.raised()).toEqual([])
    await w.clock.advance(1000)
    await w.clock.stall(3001)
    expect(it.one("telemetry-lossy")).toMatchObject({ severity: "notice", evidence: { lateMs: 2001 } })
    await w.clock.advance(4000)
    expect(it.raised()).toEqual([])
  })
})

describe("telemetry-lossy", () => {
  test("L16: telemetry-lossy, when events are dropped; it clears with the next minute", async () => {
    const w = world({ maxQueued: 100_000 })
    using it = watching(w)
    w.sessions.subscribe(() => {})
    await w.sessions.run("a", () => 1)
    await w.clock.advance(2000)
    const burst = Array.from({ length: 6000 }, () => w.sessions.run("a", () => 1))
    await Promise.all(burst)
    await settle()
    await w.clock.advance(2000)
    expect(it.one("telemetry-lossy")?.evidence["dropped"]).toBeGreaterThan(1000)
    expect(await it.until("telemetry-lossy", false)).toBeGreaterThan(40)
  })

  test("L16: telemetry-lossy, when tasks have more names than are counted", async () => {
    const w = world()
    using it = watching(w)
    const use = (name: string): void =>
      void watch(
        w.clock,
        w.sessions.run("a", () => 1, { name }),
      )
    for (let n = 0; n < 50; n++) use(`name-${n}`)
    await w.clock.advance(3000)
    expect(it.raised()).toEqual([])
    use("one too many")
    await w.clock.advance(1000)
    expect(it.one("telemetry-lossy")?.evidence).toMatchObject({ dropped: 0, others: 1 })
  })
})

describe("the process's own readings", () => {
  test("L16: a loop that stood still is seen as that", async () => {
    using source = processReadings()
    source.read()
    await pause(40)
    const until = performance.now() + 160
    while (performance.now() < until);
    await pause(40)
    const { heapUsed, median, resources, stall, utilization } = source.read()
    expect(stall).toBeGreaterThan(100)
    expect(stall).toBeLessThan(5000)
    expect(median).toBeLessThan(stall ?? 0)
    expect(utilization).toBeGreaterThan(0.3)
    expect(utilization).toBeLessThanOrEqual(1)
    expect(heapUsed).toBeGreaterThan(0)
    expect(heapUsed).toBeLessThan(1)
    expect(Number.isInteger(resources)).toBe(true)
    // What has been read is not read again.
    await pause(100)
    expect(source.read().stall).toBeLessThan(stall ?? 0)
  })
})
