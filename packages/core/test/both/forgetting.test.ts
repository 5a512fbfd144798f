import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import type { SessionKey } from "../../src/SessionKey.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial
const batches = async (count: number, each: (key: string) => Promise<unknown>): Promise<void> => {
  const size = 1000
  for (let first = 0; first < count; first += size) {
    await Promise.all(
      Array.from({ length: Math.min(size, count - first) }, (_, index) => each(`k${first + index}`)),
    )
  }
}

describe.each(faces)("$face", ({ world, face }) => {
  // An Effect's layer is built for each of them.
  const many = face === "Promise face" ? 100_000 : 10_000

  test(
    `L26: ${many} keys used once leave nothing but a bounded memory of ends`,
    { timeout: 60_000 },
    async () => {
      const { clock, events, ledger, registry, sessions } = world({ idleTimeout: 0, maxSessions: 2000 })
      await batches(many, async (key) => {
        await sessions.run(key, serialOf)
        events.length = 0
        ledger.lines.length = 0
      })
      // A wave of idle ones is closed in slices.
      for (let slice = 0; slice < 100 && ledger.live > 0; slice++) await clock.advance(1)
      expect(ledger.opened).toBe(many)
      expect(ledger.live).toBe(0)
      expect(registry.sessions.size).toBe(0)
      expect(registry.ends.size).toBe(1000)
      expect([registry.seats.taken, registry.seats.waiting, registry.closing.inService]).toEqual([0, 0, 0])
      expect(registry.idle.first).toBeUndefined()
    },
  )

  test("L26: keys that are refused leave nothing at all", async () => {
    const { registry, sessions } = world()
    await batches(2000, (key) => outcomeOf(sessions.run(key, serialOf, { mustExist: true })))
    await batches(2000, async (key) => sessions.close(key))
    await batches(2000, async (key) => sessions.restart(key))
    await batches(2000, async (key) => sessions.cancel(key))
    await batches(2000, async (key) => sessions.explain(key))
    expect([registry.sessions.size, registry.ends.size]).toEqual([0, 0])
  })

  test("L26: owners that never got a seat leave nothing behind, those that had one no more than others", async () => {
    const { clock, registry, sessions } = world({ maxSessions: 1, maxPerOwner: 1, timeouts: { seat: 100 } })
    const held = gate()
    const busy = sessions.run({ owner: "busy" }, () => held.promise)
    await settle()
    const waiting = Array.from({ length: 60 }, (_, index) =>
      watch(clock, sessions.run({ owner: `o${index}` }, serialOf)),
    )
    await clock.advance(100)
    expect(new Set(waiting.map((one) => one.outcome))).toEqual(new Set(["SessionRefused MaxSessions"]))
    expect(registry.seats.owners).toBe(1)
    held.open()
    await busy
    for (let index = 0; index < 5; index++) await sessions.run({ owner: `o${index}` }, serialOf)
    expect(registry.seats.owners).toBe(1)
    await sessions.close({ owner: "o4" })
    expect(registry.seats.owners).toBe(0)
  })

  test("L26, L10: a key that failed to open is remembered while that counts, and no longer", async () => {
    const { clock, registry, sessions } = world({ restart: { delay: 4000, within: 1000 } }, () => {
      throw new Error("no")
    })
    expect(await outcomeOf(sessions.run("a", serialOf))).toBe("SessionOpenFailed Failed")
    await settle()
    await clock.advance(2999)
    expect(sessions.explain("a").restarts.nextAt).toBe(3000)
    await clock.advance(1000)
    expect(registry.sessions.size).toBe(1)
    await clock.advance(1)
    expect(registry.sessions.size).toBe(0)
  })

  test("L26, L11: a quarantined key is remembered while that counts, then forgotten, and starts afresh", async () => {
    const { clock, registry, sessions } = world({ restart: { times: 0, within: 5000, quarantine: 1000 } })
    await sessions.run("a", (_, task) => task.broken("dead"))
    await settle()
    expect(sessions.explain("a").state).toBe("Quarantined")
    await clock.advance(5999)
    expect(registry.sessions.size).toBe(1)
    await clock.advance(1)
    expect(registry.sessions.size).toBe(0)
    expect(sessions.explain("a")).toMatchObject({
      state: "Closed",
      restarts: { left: 0 },
      ended: { reason: "RestartLimit" },
    })
    expect(await sessions.run("a", serialOf)).toBe(2)
  })

  test("L26, L11: losses are remembered across an idle close, for as long as they count", async () => {
    const { clock, registry, sessions } = world({
      idleTimeout: 100,
      restart: { times: 1, within: 5000, delay: 0 },
    })
    await sessions.run("a", (_, task) => task.broken("dead"))
    await settle()
    await sessions.run("a", serialOf)
    await clock.advance(100)
    expect(sessions.explain("a").state).toBe("Closed")
    expect(registry.sessions.size).toBe(1)
    await sessions.run("a", (_, task) => task.broken("dead again"))
    await settle()
    expect(sessions.explain("a").state).toBe("Quarantined")
    await clock.advance(60_000)
    expect(registry.sessions.size).toBe(0)
  })

  test(
    "L26: ten thousand keys are remembered with their failures, and not one more",
    { timeout: 60_000 },
    async () => {
      const { events, registry, sessions } = world(
        { maxSessions: 20_000, restart: { delay: "1 hour", maxDelay: "1 hour" } },
        () => {
          throw new Error("no")
        },
      )
      // Of one owner: many that fail at once would be an outage, in which nothing is held against a key.
      const owned = (id: string): SessionKey => ({ owner: "one", id })
      await batches(11_000, async (key) => {
        await outcomeOf(sessions.run(owned(key), serialOf))
        events.length = 0
      })
      await settle()
      expect(registry.sessions.size).toBe(10_000)
      expect([...registry.sessions.values()][0]?.id).toBe("k1000")
      expect(await outcomeOf(sessions.run(owned("k10999"), serialOf))).toBe("SessionOpenFailed Failed")
      expect(registry.ends.size).toBe(1000)
    },
  )

  test("L26: the memory of ends keeps those that ended last", async () => {
    const { registry, sessions } = world()
    await batches(1000, async (key) => {
      await sessions.run(key, serialOf)
      await sessions.close(key)
    })
    await sessions.run("k0", serialOf)
    await sessions.close("k0")
    await sessions.run("one more", serialOf)
    await sessions.close("one more")
    expect(registry.ends.size).toBe(1000)
    expect([sessions.explain("k0").ended?.reason, sessions.explain("k1").ended]).toEqual([
      "Requested",
      undefined,
    ])
  })
})
