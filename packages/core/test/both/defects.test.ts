/**
 * A mistake inside the engine: it is told, and nobody else pays for it. There is none to be found from outside, so these
 * tests put one where the engine's own code would make it.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

const mistake = new Error("a mistake of ours")
const reported = { type: "SojournDefect", detail: mistake.stack }
/** What would be printed, once a registry. */
const warned: Array<unknown> = []

beforeEach(() => {
  warned.length = 0
  vi.spyOn(process, "emitWarning").mockImplementation((_, options) => void warned.push(options))
})
afterEach(() => void vi.restoreAllMocks())

describe.each(faces)("$face", ({ world }) => {
  test("L20, L16: in what a step makes necessary: what others had put down in it is carried out, and it is told", async () => {
    const it = world()
    const { clock, events, registry, sessions } = it
    await sessions.run("b", () => 1)
    registry.steps.after(() => {
      throw mistake
    })
    const others = [sessions.run("a", () => "a"), sessions.run("b", () => "b")].map((run) =>
      watch(clock, run),
    )
    await settle()
    expect(others.map((other) => other.outcome)).toEqual(["value a", "value b"])
    expect(registry.monitor.defects).toBe(1)
    expect(events).toContainEqual(
      expect.objectContaining({ _tag: "WarningRaised", warning: "EngineDefect", evidence: { defects: 1 } }),
    )
    expect(warned).toEqual([reported])
    await expectNothingLeft(it)
  })

  test("L20: in the middle of many: each of the others is carried out, in order, and it is reported once", async () => {
    const { clock, registry, sessions } = world()
    const order: Array<number> = []
    await sessions.run("a", () => {
      for (let at = 0; at < 6; at++)
        registry.steps.after(() => {
          if (at % 2 === 1) throw mistake
          order.push(at)
        })
    })
    await clock.advance(0)
    expect(order).toEqual([0, 2, 4])
    expect(registry.monitor.defects).toBe(3)
    expect(warned).toEqual([reported])
  })

  test("L20, L23: in a deadline: the others of that moment and of later ones are carried out", async () => {
    const it = world({ idleTimeout: 500 })
    const { clock, registry, sessions } = it
    const held = gate()
    await sessions.run("b", () => 1)
    registry.timetable.at("caller", 100, () => {
      throw mistake
    })
    const impatient = watch(
      clock,
      sessions.run("a", () => held.promise, { timeout: 100 }),
    )
    const patient = watch(
      clock,
      sessions.run("a", () => 2, { timeout: 200 }),
    )
    await clock.advance(200)
    expect([impatient, patient]).toMatchObject([
      { outcome: "TaskStopped Timeout", at: 100 },
      { outcome: "TaskStopped Timeout", at: 200 },
    ])
    await clock.advance(300)
    expect(sessions.explain("b").ended).toMatchObject({ reason: "Idle", at: 500 })
    expect(registry.monitor.defects).toBe(1)
    held.open()
    await expectNothingLeft(it)
  })

  test("L17, L20: while a task is taken: it is refused with the mistake as cause, its key and all others go on", async () => {
    const it = world()
    const { clock, registry, sessions } = it
    await sessions.run("a", () => 1)
    vi.spyOn(registry.turns, "start").mockImplementationOnce(() => {
      throw mistake
    })
    const unlucky = watch(
      clock,
      sessions.run("a", () => 2),
    )
    await settle()
    expect(unlucky.outcome).toBe("SessionRefused Closed")
    expect(fieldOf(unlucky, "cause")).toBe(mistake)
    const next = [sessions.run("a", ({ serial }) => serial), sessions.run("b", ({ serial }) => serial)]
    expect(await Promise.all(next)).toEqual([1, 2])
    expect(registry.monitor.defects).toBe(1)
    await expectNothingLeft(it)
  })

  test("L17, L20: while a task ends: its caller is told, not left waiting, and other keys go on", async () => {
    const { clock, registry, sessions } = world()
    await sessions.run("a", () => 1)
    const held = gate()
    const unlucky = watch(
      clock,
      sessions.run("a", () => held.promise),
    )
    await settle()
    vi.spyOn(registry.turns, "settle").mockImplementationOnce(() => {
      throw mistake
    })
    held.open()
    await settle()
    expect(unlucky.outcome).toBe("SessionRefused Closed")
    expect(fieldOf(unlucky, "cause")).toBe(mistake)
    expect(await sessions.run("b", () => 2)).toBe(2)
    expect(registry.monitor.defects).toBe(1)
    expect(warned).toEqual([reported])
  })

  test("L10, L17, L20: while an opening ends: all who wait for it are told, and it is opened for who comes next", async () => {
    const it = world()
    const { clock, registry, sessions } = it
    vi.spyOn(registry.breaker, "opened").mockImplementationOnce(() => {
      throw mistake
    })
    const waiting = [1, 2].map(() =>
      watch(
        clock,
        sessions.run("a", () => 1),
      ),
    )
    await settle()
    expect(waiting.map((call) => [call.outcome, fieldOf(call, "cause")])).toEqual([
      ["SessionRefused Closed", mistake],
      ["SessionRefused Closed", mistake],
    ])
    expect(await sessions.run("a", ({ serial }) => serial)).toBe(1)
    expect(registry.monitor.defects).toBe(1)
    await expectNothingLeft(it)
  })

  test("L4, L20: when the last finalizer has ended: nothing is thrown into the process, and other keys close as ever", async () => {
    const released = gate()
    const { clock, registry, sessions } = world({}, ({ key, onClose }) => {
      if (key === "a") onClose(() => released.promise)
    })
    await sessions.run("a", () => 1)
    await sessions.run("b", () => 1)
    void sessions.close("a")
    await settle()
    vi.spyOn(registry.draining, "noteGone").mockImplementationOnce(() => {
      throw mistake
    })
    released.open()
    await settle()
    expect(registry.monitor.defects).toBe(1)
    expect(await sessions.close("b")).toMatchObject({ reason: "Requested", leaked: false })
    await clock.advance(0)
    expect(warned).toEqual([reported])
  })
})
