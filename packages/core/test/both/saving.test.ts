import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, type Gate, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  /** Each generation saves its serial, and notes what it was given. */
  const saving = (
    policy?: Parameters<typeof world>[0],
    save: (opening: Thing["opening"]) => unknown = ({ serial }) => ({ from: serial }),
  ): World<Thing> & { restored: ReadonlyArray<unknown> } => {
    const restored: Array<unknown> = []
    const w = world(policy, (opening) => {
      restored.push(opening.restored)
      opening.save(() => save(opening))
    })
    return { ...w, restored }
  }
  const serial = (thing: Thing): number => thing.serial

  test("L25: what was saved at Idle, Evicted and Restarted is there in the next life", async () => {
    const { clock, restored, sessions, story } = saving({ idleTimeout: 1000, maxSessions: 1 })
    await sessions.run("a", serial)
    await clock.advance(1000)
    await sessions.run("a", serial)
    await sessions.run("b", serial)
    await sessions.run("a", serial)
    await sessions.restart("a")
    await sessions.run("a", serial)
    expect(story().filter((tag) => tag.startsWith("Closed"))).toEqual([
      "Closed Idle",
      "Closed Evicted",
      "Closed Evicted",
      "Closed Restarted",
    ])
    expect(restored).toEqual([undefined, { from: 1 }, undefined, { from: 2 }, { from: 4 }])
  })

  test("L25: a drain saves too", async () => {
    const { clock, registry, sessions } = saving()
    await sessions.run("a", serial)
    const drained = watch(clock, sessions.drain())
    await clock.advance(0)
    expect(drained.outcome).not.toBe("pending")
    expect(registry.saving.store.load("a")).toMatchObject({ state: { from: 1 } })
  })

  test("L24, L25: a close forgets it, whoever saved it; other keys keep theirs", async () => {
    const { clock, restored, sessions } = saving({ idleTimeout: 1000 })
    await Promise.all([sessions.run("a", serial), sessions.run("b", serial)])
    await clock.advance(1000)
    await sessions.close("a")
    await sessions.run("a", serial)
    await sessions.close("a")
    await sessions.run("a", serial)
    await sessions.run("b", serial)
    expect(restored).toEqual([undefined, undefined, undefined, undefined, { from: 2 }])
  })

  test("L25: a resource that ends forgets it, also when only an earlier life had saved", async () => {
    const restored: Array<unknown> = []
    const { clock, sessions } = world({ idleTimeout: 1000 }, (opening) => {
      restored.push(opening.restored)
      if (opening.serial === 1) opening.save(() => "first")
    })
    await sessions.run("a", serial)
    await clock.advance(1000)
    await sessions.run("a", (thing) => thing.opening.end())
    await settle()
    expect(sessions.explain("a").ended?.reason).toBe("Ended")
    await sessions.run("a", serial)
    expect(restored).toEqual([undefined, "first", undefined])
  })

  test("L25: a lost resource saves nothing: the last good state stays, over a failed and a given-up open too", async () => {
    const restored: Array<unknown> = []
    const held = gate()
    const w = world({ idleTimeout: 1000 }, (opening) => {
      restored.push(opening.restored)
      opening.save(() => ({ from: opening.serial }))
      if (opening.serial === 3) throw new Error("no database")
      return opening.serial === 4 ? held.promise : undefined
    })
    const { clock, sessions } = w
    await sessions.run("a", serial)
    await clock.advance(1000)
    await sessions.run("a", (thing) => thing.opening.broken())
    const failed = watch(clock, sessions.run("a", serial))
    await clock.advance(100)
    expect(failed.outcome).toBe("SessionOpenFailed Failed")
    const left = watch(clock, sessions.run("a", serial, { timeout: 500 }))
    await clock.advance(500)
    expect(left.outcome).toBe("TaskStopped Timeout")
    held.open()
    await sessions.run("a", serial)
    expect(restored).toEqual([undefined, { from: 1 }, { from: 1 }, { from: 1 }, { from: 1 }])
  })

  test("L25: what is saved is a copy, and so is what is restored", async () => {
    const state = { count: 1 }
    const { restored, sessions } = saving({}, () => state)
    await sessions.run("a", serial)
    await sessions.restart("a")
    state.count = 2
    await sessions.run("a", serial)
    expect(restored[1]).toEqual({ count: 1 })
    Object.assign(restored[1] ?? {}, { count: 3 })
    await sessions.run("a", (thing) => thing.opening.broken())
    await sessions.run("a", serial)
    expect(restored[2]).toEqual({ count: 1 })
  })

  test.each([
    ["throws", () => Promise.reject(new Error("cannot save"))],
    ["gives what cannot be cloned", () => () => 1],
  ])(
    "L25, L4: a save that %s is told by explain, keeps the last state, and stops no release",
    async (_, bad) => {
      const { clock, ledger, restored, sessions } = saving({ idleTimeout: 1000 }, (opening) =>
        opening.serial === 2 ? bad() : "good",
      )
      await sessions.run("a", serial)
      await clock.advance(1000)
      await sessions.run("a", serial)
      expect(await sessions.restart("a")).toMatchObject({ leaked: false, errors: [] })
      expect(sessions.explain("a").errors.map((error) => error.in)).toEqual(["save"])
      expect(ledger.live).toBe(0)
      await sessions.run("a", serial)
      expect(restored).toEqual([undefined, "good", "good"])
    },
  )

  /** The first generation's save ends when it is told to. */
  const slowly = (
    policy?: Parameters<typeof world>[0],
  ): ReturnType<typeof saving> & { first: Gate<string> } => {
    const first = gate<string>()
    return { ...saving(policy, (opening) => (opening.serial === 1 ? first.promise : "second")), first }
  }

  test("L4: a save that hangs has a third of the close's time, then the resource is released all the same", async () => {
    const { clock, ledger, sessions } = slowly({ timeouts: { close: 900 } })
    await sessions.run("a", serial)
    const restarted = watch(clock, sessions.restart("a"))
    await clock.advance(299)
    expect(ledger.live).toBe(1)
    await clock.advance(1)
    expect(ledger.live).toBe(0)
    await clock.advance(599)
    expect(restarted.outcome).toBe("pending")
    await clock.advance(1)
    expect(restarted.value).toMatchObject({ leaked: true })
  })

  test("L21: a save that comes after its generation was abandoned does not overwrite what a later one saved", async () => {
    const { clock, first, restored, sessions } = slowly({ timeouts: { close: 900 } })
    await sessions.run("a", serial)
    const restarted = watch(clock, sessions.restart("a"))
    await clock.advance(900)
    expect(restarted.value).toMatchObject({ leaked: true })
    await sessions.run("a", serial)
    await sessions.restart("a")
    first.open("first")
    await settle()
    await sessions.run("a", serial)
    expect(restored).toEqual([undefined, undefined, "second"])
  })

  test("L24, L25: a close that joins a restart forgets the state too, also when it is being saved just then", async () => {
    const { clock, first, restored, sessions } = slowly()
    await sessions.run("a", serial)
    const restarted = watch(clock, sessions.restart("a"))
    await settle()
    const closed = watch(clock, sessions.close("a"))
    await settle()
    first.open("first")
    await clock.advance(0)
    expect(closed.value).toMatchObject({ leaked: false })
    expect(restarted.value).toEqual(closed.value)
    await sessions.run("a", serial)
    expect(restored).toEqual([undefined, undefined])
  })

  test("L25: nothing is saved from a generation in which a turn had to be abandoned", async () => {
    const { clock, restored, sessions } = saving({ timeouts: { grace: 100, close: 300 } })
    const hangs = watch(
      clock,
      sessions.run("a", () => clock.after(60_000)),
    )
    await settle()
    const restarted = watch(clock, sessions.restart("a"))
    await clock.advance(400)
    expect(hangs.outcome).toBe("TaskStopped Restarted")
    expect(restarted.value).toMatchObject({ reason: "Restarted", leaked: true })
    await sessions.run("a", serial)
    expect(restored).toEqual([undefined, undefined])
  })
})
