import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { losing } from "../support/losing.ts"
import { watch } from "../support/watch.ts"
import { watching } from "./support.ts"

describe.each(faces)("$face", ({ world }) => {
  const lossy = losing(world)

  test("L16 L11: session-flapping, at the third opening within a minute; it clears when the key has rested", async () => {
    const w = lossy({ restart: { delay: 0, times: 100 } })
    using it = watching(w, { thresholds: { "recreate-loop": false, unhealthy: false } })
    await w.lose("a", 15_000)
    w.use("a")
    await w.clock.advance(15_000)
    expect(it.raised()).toEqual([])
    await w.lose("a", 1000)
    w.use("a")
    await w.clock.advance(2000)
    expect(it.one("session-flapping")).toMatchObject({
      scope: "key",
      session: { key: "a" },
      evidence: { openings: 3 },
    })
    expect(await it.until("session-flapping", false)).toBeGreaterThan(25)
    expect(it.watch.kept).toBe(0)
  })

  test("L16: session-flapping is seen in sessions that are opened and closed between two looks", async () => {
    const w = world({ idleTimeout: 0 })
    using it = watching(w)
    for (let n = 0; n < 3; n++) {
      await w.sessions.run("a", () => 1)
      await w.clock.advance(100)
    }
    await w.clock.advance(1000)
    expect(it.one("session-flapping")).toMatchObject({ evidence: { openings: 3 } })
  })

  test("L16: session-flapping is not raised by what somebody asked for, nor by short lives that are wanted", async () => {
    const w = world({ idleTimeout: "25 seconds" })
    using it = watching(w)
    for (let n = 0; n < 5; n++) {
      await w.sessions.run("closed", () => 1)
      await w.sessions.close("closed")
      await w.sessions.run("restarted", () => 1)
      await w.sessions.restart("restarted")
      await w.clock.advance(3000)
    }
    for (let n = 0; n < 5; n++) {
      await w.sessions.run("rare", () => 1)
      await w.clock.advance(40_000)
    }
    expect(it.warnings.counts()["session-flapping"].activations).toBe(0)
  })

  test("L16 L8: session-flapping is not raised by lives that a short idleTimeout ended, as long as they are few", async () => {
    const w = world({ idleTimeout: 15_000 })
    using it = watching(w)
    for (let n = 0; n < 6; n++) {
      await w.sessions.run("a", () => 1)
      await w.clock.advance(45_000)
    }
    expect(it.warnings.counts()["session-flapping"].activations).toBe(0)
  })

  test("L16 L9: session-flapping, when the last lives were short because others needed the place", async () => {
    const w = world({ maxSessions: 1 })
    using it = watching(w, { thresholds: { "session-flapping": { openings: 1000 }, "reuse-low": false } })
    for (let n = 0; n < 6; n++) {
      await w.sessions.run(n % 2 === 0 ? "a" : "b", () => 1)
      await w.clock.advance(18_000)
    }
    await w.sessions.run("a", () => 1)
    await w.clock.advance(2000)
    expect(it.one("session-flapping")).toMatchObject({ evidence: { medianLifeMs: 18_000 } })
  })

  test("L16 L10: recreate-loop, when an opening fails for the third time in a row; a life of a minute clears it", async () => {
    let fails = true
    const w = world({ restart: { delay: 100, maxDelay: 100 } }, () => {
      if (fails) throw new Error("no database")
    })
    using it = watching(w, { thresholds: { "session-flapping": false } })
    const use = async (): Promise<void> => {
      void watch(
        w.clock,
        w.sessions.run("a", () => 1),
      )
      await w.clock.advance(5000)
    }
    await use()
    await use()
    expect(it.raised()).toEqual([])
    await use()
    expect(it.one("recreate-loop")).toMatchObject({
      severity: "error",
      session: { key: "a" },
      evidence: { failed: 3, lost: 0 },
    })
    fails = false
    await use()
    await w.clock.advance(50_000)
    expect(it.raised()).toEqual(["recreate-loop"])
    expect(await it.until("recreate-loop", false)).toBeLessThan(15)
    expect(it.watch.kept).toBe(0)
  })

  test("L16 L11: recreate-loop, when resources are lost right after they are ready; not when they live a little longer", async () => {
    for (const [lived, raised] of [
      [4000, true],
      [6000, false],
    ] as const) {
      const w = lossy({ restart: { delay: 0, times: 100 } })
      using it = watching(w)
      for (let n = 0; n < 3; n++) {
        w.use("a")
        await w.clock.advance(lived)
        await w.lose("a", 100)
      }
      await w.clock.advance(2000)
      expect([lived, it.one("recreate-loop") !== undefined]).toEqual([lived, raised])
    }
  })

  test("L16 L26: recreate-loop clears when nobody has tried for five minutes", async () => {
    const w = world({ restart: { delay: 100, maxDelay: 100 } }, () => {
      throw new Error("no database")
    })
    using it = watching(w, { thresholds: { "session-flapping": false } })
    for (let n = 0; n < 3; n++) {
      void watch(
        w.clock,
        w.sessions.run("a", () => 1),
      )
      await w.clock.advance(1000)
    }
    expect(it.raised()).toContain("recreate-loop")
    await w.clock.advance(280_000)
    expect(it.raised()).toEqual(["recreate-loop"])
    await w.clock.advance(30_000)
    expect([it.raised(), it.watch.kept]).toEqual([[], 0])
  })
})
