import { describe, expect, test } from "vitest"
import type { Opening, ProbeContext } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

/** What became of a call, as seen from inside the probe that made it. */
const attempt = async (call: () => Promise<unknown>): Promise<string> => {
  try {
    return `value ${String(await call())}`
  } catch (error) {
    return typeof error === "object" && error !== null && "reason" in error
      ? String(error.reason)
      : String(error)
  }
}
const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  /** Every generation of "a" has this probe. Not the one that follows a loss: that one is simply good. */
  const probing = (check: (w: World<Thing>, context: ProbeContext, opening: Opening) => unknown) => {
    const w: World<Thing> = world({ idleTimeout: "Infinity", timeouts: { close: 3000 } }, (opening) => {
      if (opening.key === "a") opening.probe((context) => check(w, context, opening))
    })
    const use = (key = "a"): Watched => watch(w.clock, w.sessions.run(key, serial))
    /** On stale trust, and with somebody who waits for the answer. */
    const ask = async (): Promise<Watched> => {
      use()
      await w.clock.advance(10_001)
      const waits = use()
      await w.clock.advance(0)
      return waits
    }
    return { ...w, ask, use }
  }

  test("L7: a probe's calls on its own session are refused at once, and the probe goes on", async () => {
    const told: Array<string> = []
    const w = probing(async ({ clock, sessions }) => {
      for (const call of [
        () => sessions.run("a", serial),
        () => sessions.run("a", serial, { whenBusy: "overlap" }),
        () => sessions.close("a"),
        () => sessions.restart("a"),
        () => sessions.drain(),
      ])
        told.push(await attempt(call))
      await clock.after(10)
      told.push(await attempt(() => sessions.run("a", serial)))
      told.push(String(await sessions.cancel("b")))
      return sessions.explain("a").state === "Ready"
    })
    const waits = await w.ask()
    await w.clock.advance(10)
    expect(told).toEqual([
      "ReentrantRun",
      "ReentrantRun",
      "ReentrantClose",
      "ReentrantClose",
      "ReentrantClose",
      "ReentrantRun",
      "0",
    ])
    expect(waits).toMatchObject({ outcome: "value 1", at: 10_011 })
    await expectNothingLeft(w)
  })

  test("L7: its calls on another session are served, also when that one has to open; what is detached runs after it", async () => {
    const told: Array<string> = []
    const detached: Array<Watched> = []
    const w = probing(async ({ clock, sessions }) => {
      detached.push(watch(clock, sessions.run("a", serial, { detach: true })))
      told.push(await attempt(() => sessions.run("b", ({ key }) => key)))
      told.push(await attempt(() => sessions.run("b", ({ key }) => key)))
      told.push(await attempt(() => sessions.close("b")))
    })
    const waits = await w.ask()
    expect(told).toEqual(["value b", "value b", "value [object Object]"])
    expect(waits).toMatchObject({ outcome: "value 1", at: 10_001 })
    expect(detached).toMatchObject([{ outcome: "value 1", at: 10_001 }])
    await expectNothingLeft(w)
  })

  test("L7: through another session back to its own it is refused, not waited for", async () => {
    const w = probing(({ sessions }) =>
      sessions
        .run("b", () => attempt(() => sessions.run("a", serial)))
        .then((told) => told === "ReentrantRun"),
    )
    const waits = await w.ask()
    expect(waits).toMatchObject({ outcome: "value 1", at: 10_001 })
    expect(w.story()).not.toContain("Lost")
    await expectNothingLeft(w)
  })

  test("L7: a turn that waits for the probe, whose session the probe calls: one of the two is refused at once, in either order", async () => {
    for (const probeFirst of [true, false]) {
      const told: Array<string> = []
      const w = probing(async ({ clock, sessions }) => {
        if (!probeFirst) await clock.after(50)
        told.push(await attempt(() => sessions.run("b", () => "served")))
      })
      const { clock, sessions, use } = w
      use()
      await clock.advance(10_001)
      const holds = gate()
      const outer = watch(
        clock,
        sessions.run("b", async () => {
          if (probeFirst) await holds.promise
          return attempt(() => sessions.run("a", serial))
        }),
      )
      await clock.advance(0)
      const waits = use()
      await clock.advance(10)
      holds.open()
      await clock.advance(50)
      expect(waits.outcome).toBe("value 1")
      expect(outer.outcome).toBe(probeFirst ? "value ReentrantRun" : "value value 1")
      expect(told).toEqual([probeFirst ? "value served" : "ReentrantRun"])
      await expectNothingLeft(w)
    }
  })

  test("L7: a lease on its own session could be granted, so it is; so is one for a turn the probe waits for", async () => {
    const told: Array<string> = []
    const w = probing(async ({ sessions }) => {
      told.push(
        await attempt(async () => {
          const lease = await sessions.lease("a")
          await lease.release()
          return "granted"
        }),
      )
      await sessions.run("b", () => {})
    })
    const { clock, sessions, use } = w
    use()
    await clock.advance(10_001)
    const outer = watch(
      clock,
      sessions.run("b", async () => {
        await clock.after(100)
        const lease = await sessions.lease("a")
        await lease.release()
        return "leased"
      }),
    )
    const waits = use()
    await clock.advance(100)
    expect([outer.outcome, waits.outcome]).toEqual(["value leased", "value 1"])
    expect(told).toEqual(["value granted"])
  })

  test("L7: told to stop and not ended, it keeps the next generation waiting: its calls on its own session are refused, not waited for", async () => {
    const told: Array<Watched> = []
    for (const nested of [false, true]) {
      const w = probing(async ({ clock, sessions }, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve))
        const own = (): Promise<unknown> => sessions.run("a", serial)
        const call = nested ? sessions.run("b", own) : own()
        told.push(watch(clock, call))
        await call.catch(() => {})
      })
      await w.ask()
      void w.sessions.restart("a")
      await w.clock.advance(0)
      expect(told.at(-1)?.outcome).toBe("SessionMisuse ReentrantRun")
      await w.clock.advance(3000)
      expect(w.events.filter((event) => event._tag === "Closed")).toMatchObject([
        { reason: "Restarted", leaked: false },
      ])
      await expectNothingLeft(w)
    }
  })

  test("L22: its nested calls are stopped with it: by a close, by its timeout, by its own broken", async () => {
    for (const by of ["close", "timeout", "broken"] as const) {
      const nested: Array<Watched> = []
      const w = probing(async ({ clock, sessions }, { signal }, opening) => {
        if (opening.serial > 1) return
        const call = sessions.run(
          "b",
          (_, task) =>
            new Promise((_resolve, reject) =>
              task.signal.addEventListener("abort", () => reject(new Error("stopped"))),
            ),
        )
        nested.push(watch(clock, call))
        if (by === "broken") opening.broken()
        await Promise.race([call, new Promise((resolve) => signal.addEventListener("abort", resolve))])
      })
      const { clock, sessions } = w
      const waits = await w.ask()
      if (by === "close") void sessions.close("a")
      await settle()
      if (by === "timeout") {
        expect(nested[0]?.outcome).toBe("pending")
        await clock.advance(5000)
      }
      await clock.advance(0)
      expect(nested).toMatchObject([{ outcome: "TaskStopped CallerStopped" }])
      expect(waits.outcome).toBe(by === "close" ? "SessionRefused Closed" : "value 3")
      expect(sessions.explain("b").tasks).toEqual([])
      await expectNothingLeft(w)
    }
  })

  test("L7: what a probe leaves behind is nobody's nested call once it has ended", async () => {
    const later: Array<Watched> = []
    const w = probing(({ clock, sessions }) => {
      const after = (ms: number, call: () => Promise<unknown>): void =>
        void clock.after(ms).then(() => later.push(watch(clock, call())))
      after(100, () => sessions.run("a", serial))
      after(200, () => sessions.restart("a"))
    })
    await w.ask()
    await w.clock.advance(200)
    expect(later).toMatchObject([
      { outcome: "value 1", at: 10_101 },
      { value: { reason: "Restarted" }, at: 10_201 },
    ])
  })
})
