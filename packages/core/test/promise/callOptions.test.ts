import { describe, expect, test } from "vitest"
import { defaultCall, milliseconds, resolveCall, resolvePolicy } from "../../src/options.ts"
import { outcomeOf, worldOf } from "../support/ledger.ts"
import { flags, texts, thrown, times } from "./wrongValues.ts"

const good = { name: "options", open: () => "resource" }

describe("L17: defaults", () => {
  const second = 1000
  const minute = 60 * second
  const documented = {
    whenBusy: "queue",
    concurrency: 1,
    maxQueued: 64,
    idleTimeout: 15 * minute,
    maxSessions: 10_000,
    maxPerOwner: Infinity,
    maxAge: Infinity,
    maxTurns: Infinity,
    maxHeap: 1,
    onLeak: "reopen",
    maxLeaked: 100,
    store: undefined,
    timeouts: {
      seat: 5 * second,
      queue: 5 * minute,
      open: 30 * second,
      silence: 5 * minute,
      stall: 30 * second,
      lease: 60 * minute,
      grace: 5 * second,
      close: 15 * second,
    },
    restart: {
      times: 5,
      within: minute,
      delay: 100,
      maxDelay: 30 * second,
      quarantine: 30 * second,
      eager: false,
    },
    rebuild: true,
  }
  test("L17: as documented; left out, undefined and empty mean the same", () => {
    expect(resolvePolicy({}, [])).toEqual(documented)
    const names = [
      "whenBusy",
      "concurrency",
      "maxQueued",
      "idleTimeout",
      "maxSessions",
      "maxPerOwner",
      "maxAge",
      "maxTurns",
      "maxHeap",
      "onLeak",
      "maxLeaked",
      "store",
      "timeouts",
      "restart",
    ]
    expect(resolvePolicy(Object.fromEntries(names.map((name) => [name, undefined])), [])).toEqual(documented)
    const empty = {
      timeouts: { seat: undefined, open: undefined },
      restart: { times: undefined, eager: undefined },
    }
    expect(resolvePolicy(empty, [])).toEqual(documented)
    expect(resolvePolicy({ restart: false }, [])).toEqual({ ...documented, rebuild: false })
  })
  test("L17: each smallest legal value is taken", () => {
    const least = { seat: 0, queue: 0, open: 1, silence: 1, stall: 1, lease: 1, grace: 0, close: 1 }
    const restart = { times: 0, within: 1, delay: 0, maxDelay: 0, quarantine: 0, eager: true }
    const given = {
      concurrency: 1,
      maxQueued: 0,
      idleTimeout: 0,
      maxSessions: 1,
      maxPerOwner: 1,
      maxAge: 1,
      maxTurns: 1,
      maxHeap: 0,
      onLeak: "wait" as const,
      maxLeaked: 1,
      store: { load: () => undefined, save: () => undefined, remove: () => undefined },
      timeouts: least,
      restart,
    }
    expect(resolvePolicy(given, [])).toEqual({ ...given, whenBusy: "queue", rebuild: true })
  })
  test.each([
    [5000, 5000],
    [0.5, 0.5],
    ["5 seconds", 5000],
    ["1.5 seconds", 1500],
    ["1 hour", 3_600_000],
    ["Infinity", Infinity],
    [Infinity, Infinity],
    [5_000_000n, 5],
    [{ minutes: 1, seconds: 5 }, 65_000],
    [{ seconds: 5, minutes: undefined }, 5000],
    [[1, 500_000_000] as const, 1500],
  ])("L17: %s is %s milliseconds", (given, expected) => {
    expect(milliseconds("x", given as never, 7)).toBe(expected)
  })
})

describe("L17: options of one call", () => {
  const call = defaultCall(resolvePolicy({}, []))
  const wrong: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]> = [
    ["name", texts.filter((value) => value !== undefined)],
    ["signal", [5, null, {}, { aborted: false }, { aborted: false, addEventListener: true }, "signal"]],
    ["timeout", times],
    ["silence", [0, ...times]],
    ["whenBusy", ["Queue", 5, null]],
    ["mustExist", flags],
    ["detach", flags],
    ["timeOut", [5]],
    ["idempotent", flags],
  ]
  test.each(
    wrong.flatMap(([name, values]) =>
      values.map((value, index) => [`${name} (${index})`, name, value] as const),
    ),
  )("L17: a wrong %s", (_, name, value) => {
    const error = thrown(() => resolveCall(call, { [name]: value }))
    expect(error).toMatchObject({ _tag: "SessionMisuse", reason: "InvalidOption" })
    expect((error as Error).message.startsWith(name)).toBe(true)
  })

  test("L17: every verb rejects what is wrong with it, and hands nothing in", async () => {
    const { registry, sessions } = worldOf({
      ...good,
      streams: { rows: () => [] as never },
      handlers: { query: () => 1 },
    })
    const bad = { timeOut: 5 } as never
    const rejected: ReadonlyArray<() => Promise<unknown>> = [
      () => sessions.run("a", () => 1, bad),
      () => sessions.run("a", () => 1, null as never),
      () => sessions.run("a", undefined as never),
      () => sessions.run("a", 5 as never, { name: "x" }),
      () => sessions.at("a").run("work" as never),
      () => sessions.stream("a", () => [] as never, bad).started,
      () => sessions.stream("a", () => [] as never, 5 as never).started,
      () => sessions.stream("a", undefined as never).started,
      () => sessions.stream("a", () => [] as never, { resumable: { items: 0 } }).started,
      () => sessions.stream("a", () => [] as never, { resumable: { keeep: 5 } as never }).started,
      () => sessions.lease("a", bad),
      () => sessions.lease("a", { whenBusy: "queue" } as never),
      () => sessions.close("a", bad),
      () => sessions.close("a", { finishWithin: -1 }),
      () => sessions.restart("a", { finishWithin: "5 parsecs" as never }),
      () => sessions.cancel("a", bad),
      () => sessions.drain(bad),
      () => sessions.resume("a", { after: -1 }),
      async () => sessions.at("a", bad),
      async () => sessions.at("a", { after: 1.5 }),
      async () => sessions.snapshot({ limit: -1 }),
      async () => sessions.snapshot({ limit: Infinity }),
      async () => sessions.subscribe(undefined as never),
    ]
    for (const [index, verb] of rejected.entries()) {
      expect([index, await outcomeOf(verb())]).toEqual([index, "SessionMisuse InvalidOption"])
    }
    expect([registry.sessions.size, registry.phase]).toEqual([0, "accepting"])
  })
})
