import { describe, expect, test } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const timeouts = { silence: 600_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  // Who gets there first, in every order of the two steps each chain has.
  test.each([
    [0, 0],
    [0, 5],
    [5, 0],
    [5, 5],
    [5, 6],
  ])(
    "L7: a calls b while b calls a (after %i and %i): one is refused at once, the other served",
    async (first, second) => {
      const it = world({ timeouts })
      const { clock, sessions } = it
      const chain = (from: string, to: string, wait: number): Promise<string> =>
        sessions.run(from, async () => {
          await clock.after(wait)
          await sessions.run(to, () => clock.after(10))
          return `${from} done`
        })
      await Promise.all([sessions.run("a", () => 1), sessions.run("b", () => 1)])
      const runs = [watch(clock, chain("a", "b", first)), watch(clock, chain("b", "a", second))]
      await clock.advance(100)
      const outcomes = runs.map((run) => run.outcome).toSorted()
      expect(outcomes[0]).toBe("SessionMisuse ReentrantRun")
      expect(outcomes[1]).toMatch(/^value . done$/)
      // At once: when the second call closes the loop.
      expect(Math.min(...runs.map((run) => run.at))).toBe(Math.max(first, second))
      await expectNothingLeft(it)
    },
  )

  test("L7: the same across two registries", async () => {
    const [one, two] = [world({ timeouts }), world({ timeouts })]
    const inOne = watch(
      one.clock,
      one.sessions.run("a", async () => {
        await one.clock.after(5)
        return two.sessions.run("b", () => "served in two")
      }),
    )
    const inTwo = watch(
      two.clock,
      two.sessions.run("b", async () => {
        await two.clock.after(5)
        return one.sessions.run("a", () => "served in one")
      }),
    )
    await one.clock.advance(5)
    await two.clock.advance(5)
    await one.clock.advance(0)
    expect([inOne.outcome, inTwo.outcome]).toEqual(["value served in two", "SessionMisuse ReentrantRun"])
  })

  test("L7: a third chain that only waits for two that block each other's way is served after the refusal", async () => {
    const { clock, sessions } = world({ timeouts })
    const chain = (from: string, to: string, wait: number): Promise<unknown> =>
      sessions.run(from, async () => {
        await clock.after(wait)
        return sessions.run(to, () => `${from} in ${to}`)
      })
    const runs = [chain("a", "b", 5), chain("b", "c", 5), chain("c", "b", 4)].map((run) => watch(clock, run))
    await clock.advance(50)
    expect(runs.map((run) => run.outcome)).toEqual([
      "value a in b",
      "SessionMisuse ReentrantRun",
      "value c in b",
    ])
  })

  test("L7: an open may call another session; through that one it must not come back to its own", async () => {
    const calls: Array<(opening: Opening) => unknown> = []
    const { clock, sessions } = world({ timeouts }, (opening) =>
      opening.key === "a" ? calls[0]?.(opening) : undefined,
    )
    calls.push(() => sessions.run("b", () => sessions.run("a", () => "never")))
    const run = watch(
      clock,
      sessions.run("a", () => 1),
    )
    await clock.advance(0)
    expect([run.outcome, run.at]).toEqual(["SessionOpenFailed Failed", 0])
    calls[0] = () => sessions.run("b", () => "served")
    await clock.advance(1000)
    expect(await sessions.run("a", () => 2)).toBe(2)
  })

  test("L7: an open that calls its own session is refused at once", async () => {
    const calls: Array<() => unknown> = []
    const { clock, sessions } = world({ timeouts }, () => calls[0]?.())
    calls.push(() => sessions.run("a", () => "never"))
    const run = watch(
      clock,
      sessions.run("a", () => 1),
    )
    await clock.advance(0)
    expect([run.outcome, run.at]).toEqual(["SessionOpenFailed Failed", 0])
    expect(String(Reflect.get(Object(run.error), "cause"))).toContain("whenBusy")
  })

  test.each(["run", "close", "restart"] as const)(
    "L7: a finalizer that calls %s on its own session is refused at once",
    async (verb) => {
      const seen: Array<unknown> = []
      const calls: Array<() => Promise<unknown>> = []
      const { clock, sessions } = world({ timeouts }, ({ onClose }) =>
        onClose(async () => {
          try {
            await calls[0]?.()
          } catch (error) {
            seen.push(Reflect.get(Object(error), "reason"))
          }
        }),
      )
      calls.push(() => (verb === "run" ? sessions.run("a", () => 1) : sessions[verb]("a")))
      await sessions.run("a", () => 1)
      const closed = watch(clock, sessions.close("a"))
      await clock.advance(0)
      expect([closed.outcome, closed.at]).toEqual(["value [object Object]", 0])
      expect(seen).toEqual([verb === "run" ? "ReentrantRun" : "ReentrantClose"])
    },
  )

  test("L7: a finalizer may call another session", async () => {
    const calls: Array<() => Promise<unknown>> = []
    const seen: Array<unknown> = []
    const { clock, sessions } = world({ timeouts }, ({ key, onClose }) => {
      if (key === "a") onClose(async () => seen.push(await calls[0]?.()))
    })
    calls.push(() => sessions.run("b", ({ key }) => `saved in ${key}`))
    await sessions.run("a", () => 1)
    void sessions.close("a")
    await clock.advance(0)
    expect(seen).toEqual(["saved in b"])
  })

  test("L7: with concurrency 2 a nested call takes the free slot; where none is free it is refused, never queued", async () => {
    const it = world({ timeouts, concurrency: 2 })
    const { clock, sessions } = it
    expect(await sessions.run("a", () => sessions.run("a", () => "nested"))).toBe("nested")
    const both = [1, 2].map(() =>
      watch(
        clock,
        sessions.run("a", async () => {
          await clock.after(10)
          return sessions.run("a", () => "nested")
        }),
      ),
    )
    await clock.advance(50)
    // The one refused frees its slot only after the other was refused too.
    expect(both.map((run) => run.outcome)).toEqual([
      "SessionMisuse ReentrantRun",
      "SessionMisuse ReentrantRun",
    ])
    await expectNothingLeft(it)
  })

  test("L7: with concurrency 2 a cycle is no deadlock while another turn can end", async () => {
    const { clock, sessions } = world({ timeouts, concurrency: 2 })
    const other = gate()
    const inB = sessions.run("b", () => other.promise)
    await settle()
    const runs = [
      sessions.run("a", async () => {
        await clock.after(5)
        return sessions.run("b", () => "a in b")
      }),
      sessions.run("b", async () => {
        await clock.after(5)
        return sessions.run("a", () => "b in a")
      }),
    ].map((run) => watch(clock, run))
    await clock.advance(10)
    other.open()
    await inB
    await clock.advance(10)
    expect(runs.map((run) => run.outcome)).toEqual(["value a in b", "value b in a"])
  })

  test("L7: a slot lost later makes a waiting call hopeless: it is refused then, instead of waiting for itself", async () => {
    const it = world({ timeouts: { ...timeouts, queue: "Infinity" }, concurrency: 2 })
    const { clock, sessions } = it
    // In b: one slot hangs, the other waits for a. In a: both wait for b.
    void sessions.run("b", () => gate().promise, { silence: 2000 }).catch(() => {})
    const go = gate()
    const fromB = watch(
      clock,
      sessions.run("b", async () => {
        await go.promise
        return sessions.run("a", () => "b in a")
      }),
    )
    const fromA = [1, 2].map(() =>
      watch(
        clock,
        sessions.run("a", async () => {
          await clock.after(10)
          return sessions.run("b", () => "a in b")
        }),
      ),
    )
    await clock.advance(100)
    go.open()
    await clock.advance(2800)
    expect([fromB, ...fromA].map((run) => run.outcome)).toEqual(["pending", "pending", "pending"])
    await clock.advance(200)
    // One refusal is enough: it gives b's turn the slot it waits for.
    expect([fromB, ...fromA].map((run) => run.outcome)).toEqual([
      "value b in a",
      "SessionMisuse ReentrantRun",
      "value a in b",
    ])
  })
})
