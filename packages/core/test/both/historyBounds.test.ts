import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import type { Thing } from "../support/ledger.ts"
import { losing } from "../support/losing.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf } from "../support/watch.ts"

const serial = (thing: Thing): number => thing.serial
const steers = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** Errors as a hostile or a careless program may throw them. */
const hostile: ReadonlyArray<readonly [string, () => unknown]> = [
  ["text that steers a terminal", () => new Error("\u001b[2J\u202eevil\nSession b is Ready")],
  ["a very long text", () => new Error("x".repeat(1_000_000))],
  ["a message that is no text", () => Object.assign(new Error(), { message: 5 })],
  ["a message that is an object", () => Object.assign(new Error(), { message: { toString: 5 } })],
  ["a message that is a symbol", () => Object.assign(new Error(), { message: Symbol("no") })],
  [
    "a message that cannot be read",
    () => Object.defineProperty(new Error(), "message", { get: () => raise() }),
  ],
  ["an object without a prototype", () => Object.create(null) as unknown],
  ["an object that cannot be shown", () => ({ toString: raise })],
  ["a proxy that refuses everything", () => new Proxy({}, { getPrototypeOf: raise, get: raise, has: raise })],
  ["a symbol", () => Symbol("no")],
  ["null", () => null],
]
const raise = (): never => {
  throw new Error("raised")
}

describe.each(faces)("$face", ({ world }) => {
  const make = losing(world)

  test("L18, L26: at most 64 facts, the last ones, however uneventful or eventful the life", async () => {
    const { clock, lose, sessions } = make({ idleTimeout: 10, restart: { times: 1000, delay: 0 } })
    const facts = () => sessions.explain("a").history
    for (let stay = 1; stay <= 60; stay++) {
      await sessions.run("a", serial)
      expect(facts().length).toBeLessThanOrEqual(64)
      await clock.advance(10)
      expect(facts().length).toBe(Math.min(64, 2 * stay))
    }
    expect(facts().map((fact) => fact.serial)).toEqual(
      Array.from({ length: 64 }, (_, at) => 29 + Math.floor(at / 2)),
    )
    for (let loss = 1; loss <= 40; loss++) {
      await lose("a", 5)
      expect(facts()).toHaveLength(64)
    }
    expect(facts().at(-1)).toMatchObject({ what: "Closed", serial: 100 })
    expect(new Set(facts().map((fact) => fact.what))).toEqual(
      new Set(["Opening", "Opened", "Lost", "Closing", "Closed"]),
    )
  })

  test("L18: the history is carried across stays, and forgotten with the last thing that was known of the key", async () => {
    const { clock, lose, registry, sessions } = make({ idleTimeout: 10, restart: { delay: 0, within: 1000 } })
    await lose("a", 0)
    await clock.advance(5000)
    // Nothing is kept of the session any more but how it ended.
    expect(registry.sessions.size).toBe(0)
    await sessions.run("a", serial)
    await clock.advance(10)
    expect(sessions.explain("a").history.map(({ what }) => what)).toEqual([
      "Opened",
      "Lost",
      "Closing",
      "Closed",
      "Opened",
      "Closed",
    ])
    for (let index = 0; index < 1000; index++) await sessions.run(`k${index}`, serial)
    await clock.advance(100)
    for (let round = 0; round < 20; round++) await settle()
    expect(registry.ends.size).toBe(1000)
    expect(sessions.explain("a").history).toEqual([])
  })

  test("L26: what is kept of one key does not grow with its lives", async () => {
    const { clock, registry, sessions } = make({ idleTimeout: 1 })
    const depth = (): number => {
      let count = 0
      for (let end = registry.ends.get("a"); end !== undefined; end = end.before) count++
      return count
    }
    let deepest = 0
    for (let life = 0; life < 200; life++) {
      await sessions.run("a", serial)
      await clock.advance(1)
      deepest = Math.max(deepest, depth())
    }
    expect(deepest).toBeLessThanOrEqual(64)
    expect(sessions.explain("a").history).toHaveLength(64)
  })

  test.each(hostile)(
    "L18, L17: an opening that throws %s is told to who waits, and can be explained",
    async (_, thrown) => {
      const error = thrown()
      const w = make({}, ({ key }) => {
        if (key === "a") throw error
      })
      const { clock, sessions, use } = w
      const [call, other] = [use("a"), use("b")]
      await clock.advance(0)
      expect([call.outcome, other.outcome]).toEqual(["SessionOpenFailed Failed", "value 2"])
      expect(Object.is(fieldOf(call, "cause"), error)).toBe(true)
      const explanation = sessions.explain("a")
      expect(String(explanation)).not.toMatch(steers)
      expect(String(explanation).length).toBeLessThan(1000)
      for (const { detail } of explanation.history) {
        expect(detail ?? "").not.toMatch(steers)
        expect((detail ?? "").length).toBeLessThanOrEqual(80)
      }
      expect(w.registry.monitor.defects).toBe(0)
      await expectNothingLeft(w)
    },
  )

  test.each(hostile)(
    "L18, L11: a resource lost for %s is replaced, and can be explained",
    async (_, thrown) => {
      const w = make({ restart: { delay: 0 } })
      const { clock, sessions, use } = w
      await sessions.run("a", (thing) => thing.opening.broken(thrown()))
      const next = use()
      await clock.advance(10)
      expect(next.outcome).toBe("value 2")
      const explanation = sessions.explain("a")
      expect(String(explanation)).not.toMatch(steers)
      for (const { detail } of explanation.history) {
        expect(detail ?? "").not.toMatch(steers)
        expect((detail ?? "").length).toBeLessThanOrEqual(80)
      }
      expect(w.registry.monitor.defects).toBe(0)
      await expectNothingLeft(w)
    },
  )

  test.each(hostile)("L18, L17: a task that fails with %s can be explained", async (_, thrown) => {
    const w = make()
    const { clock, sessions } = w
    const error = thrown()
    const failed = sessions
      .run("a", () => Promise.reject(error))
      .then(
        () => "served",
        (rejected: unknown) => Object.is(rejected, error),
      )
    await clock.advance(0)
    expect(await failed).toBe(true)
    expect(String(sessions.explain("a"))).not.toMatch(steers)
    expect(w.registry.monitor.defects).toBe(0)
    await expectNothingLeft(w)
  })
})
