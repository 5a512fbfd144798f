import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { outages, type Outage } from "../support/outage.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

const loses = (thing: Thing): void => thing.opening.broken("dead")

describe.each(faces)("$face", ({ world }) => {
  const make = outages(world)
  const breaks = async ({ backend, clock, failures }: Outage, count = 20): Promise<void> => {
    backend.down = true
    await failures(count)
    await clock.advance(0)
  }

  test("L11: a generation lost in an outage: who waits for the next one is told at once, nobody is held to account", async () => {
    const w = make({ restart: { times: 3, delay: 0 } })
    const { backend, clock, registry, sessions, use } = w
    const found = gate()
    watch(
      clock,
      sessions.run("a", (thing) => found.promise.then(() => loses(thing))),
    )
    await clock.advance(0)
    await breaks(w)
    const queued = use("a")
    found.open()
    await clock.advance(0)
    expect(queued).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 0 })
    expect(fieldOf(queued, "cause")).toBe(backend.error)
    expect(sessions.explain("a")).toMatchObject({ state: "Closed", restarts: { left: 2 } })
    expect(registry.seats.taken).toBe(0)
    backend.down = false
    await clock.advance(750)
    const next = use("a")
    await clock.advance(0)
    expect(next.outcome).toContain("value")
    await expectNothingLeft(w)
  })

  test("L11: an eager rebuild waits for the outage to end, and goes on without anybody's doing", async () => {
    const w = make({ restart: { eager: true, delay: 0 } })
    const { backend, clock, ledger, sessions, use, warnings } = w
    use("a")
    await clock.advance(0)
    await breaks(w)
    await sessions.run("a", loses)
    await clock.advance(0)
    const { asked } = backend
    expect(sessions.explain("a")).toMatchObject({ state: "Backoff", restarts: { nextAt: 750 } })
    await clock.advance(749)
    expect(backend.asked).toBe(asked)
    backend.down = false
    await clock.advance(1)
    expect([ledger.live, sessions.explain("a").state]).toEqual([1, "Ready"])
    expect(warnings()).toEqual(["WarningRaised Outage", "WarningCleared Outage"])
    await expectNothingLeft(w)
  })

  test("L11: of many eager rebuilds one is the trial, and the others follow when it has succeeded", async () => {
    const w: Outage = make({ restart: { eager: true, delay: 0 } }, () => w.clock.after(200))
    const { backend, clock, ledger, sessions, use } = w
    const keys = Array.from({ length: 10 }, (_, index) => `live ${index}`)
    for (const key of keys) use(key)
    await clock.advance(200)
    await breaks(w)
    await clock.advance(200)
    for (const key of keys) await sessions.run(key, loses)
    await clock.advance(0)
    const { asked } = backend
    await clock.advance(760)
    expect(backend.asked).toBe(asked + 1)
    backend.down = false
    await clock.advance(3000)
    expect(ledger.live).toBe(10)
    await expectNothingLeft(w)
  })

  test("L11: who waits beside an eager rebuild is told at once, and the rebuild goes on all the same", async () => {
    const w = make({ restart: { eager: true, delay: 0 } })
    const { backend, clock, ledger, sessions, use } = w
    const found = gate()
    watch(
      clock,
      sessions.run("a", (thing) => found.promise.then(() => loses(thing))),
    )
    await clock.advance(0)
    await breaks(w)
    const queued = use("a")
    found.open()
    await clock.advance(0)
    expect(queued.outcome).toBe("SessionOpenFailed Failed")
    backend.down = false
    await clock.advance(1000)
    expect(ledger.live).toBe(1)
    await expectNothingLeft(w)
  })

  test("L11: when the outage is over, nothing keeps a key back that waited for it", async () => {
    const held = gate()
    const w = make(
      { restart: { eager: true, delay: 0 }, timeouts: { seat: 1000, open: "1 hour" } },
      async ({ key }) => {
        if (key === "slow") await held.promise
      },
    )
    const { backend, clock, sessions, use, warnings } = w
    use("a")
    const slow = use("slow")
    await clock.advance(0)
    await breaks(w)
    // Four trials that fail: the pause is long by now.
    for (const pause of [750, 1500, 3000, 6000]) {
      await clock.advance(pause)
      use(`trial ${pause}`)
    }
    await clock.advance(0)
    await sessions.run("a", loses)
    await clock.advance(10)
    backend.down = false
    held.open()
    await clock.advance(0)
    expect([slow.outcome, warnings().at(-1)]).toEqual(["value 2", "WarningCleared Outage"])
    const back = use("a")
    await clock.advance(1000)
    expect(back.outcome).toContain("value")
    await expectNothingLeft(w)
  })

  test("L14: a drain in an outage ends, with an eager rebuild waiting and a trial under way", async () => {
    const w = make({ restart: { eager: true, delay: 0 } }, ({ key }) =>
      key === "trial" ? new Promise(() => {}) : undefined,
    )
    const { clock, sessions, use } = w
    use("a")
    use("b")
    await clock.advance(0)
    await breaks(w)
    await sessions.run("a", loses)
    await clock.advance(0)
    // The rebuild is due first, and fails; after it comes the trial that hangs.
    await clock.advance(750)
    await clock.advance(1499)
    await sessions.run("b", loses)
    await clock.advance(1)
    const trial = use("trial")
    await clock.advance(0)
    const drained = watch(clock, sessions.drain())
    await clock.advance(21_000)
    expect(trial.outcome).not.toBe("pending")
    expect(drained.outcome).toBe("value [object Object]")
    expect(sessions.snapshot().counts).toMatchObject({ Opening: 0, Backoff: 0, Waiting: 0, Ready: 0 })
    const late = use("late")
    await clock.advance(0)
    expect(late.outcome).toBe("SessionRefused Draining")
  })

  test("L24: close of a key that waits for the outage to end answers at once, and nothing opens for it", async () => {
    const w = make({ restart: { eager: true, delay: 0 } })
    const { backend, clock, sessions, use } = w
    use("a")
    await clock.advance(0)
    await breaks(w)
    await sessions.run("a", loses)
    await clock.advance(0)
    const { asked } = backend
    const restarted = watch(clock, sessions.restart("a"))
    await clock.advance(0)
    expect(restarted.outcome).toBe("value undefined")
    const closed = watch(clock, sessions.close("a"))
    await clock.advance(0)
    expect([closed.outcome, sessions.explain("a").state]).toEqual(["value undefined", "Closed"])
    await clock.advance(60_000)
    expect(backend.asked).toBe(asked)
    await expectNothingLeft(w)
  })
})
