import { execFile } from "node:child_process"
import { join } from "node:path"
import { inspect, promisify } from "node:util"
import { queryObjects } from "node:v8"
import { describe, expect, test } from "vitest"
import { createSessions } from "../../src/index.ts"
import { keyHash } from "../../src/keyHash.ts"
import { Session } from "../../src/session/Session.ts"
import { promiseFace } from "../../src/testing/laws/world.ts"
import { timeSource } from "../../src/time/TimeSource.ts"
import type { ActiveWarning } from "../../src/warnings/ActiveWarning.ts"
import type { WarningChange } from "../../src/warnings/Book.ts"
import { warningCatalogue, warningDefinitions } from "../../src/warnings/catalogue.ts"
import { warningLine } from "../../src/warnings/Log.ts"
import {
  makeWatch,
  watchWarnings,
  watchWith,
  type WatchWarningsOptions,
} from "../../src/warnings/watchWarnings.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"
import { FakeProcess, registryOf, watching } from "./support.ts"

const { world } = promiseFace

/** Raises pending-high of a key until the result is called. */
const crowd = (w: ReturnType<typeof world>, key: Parameters<typeof w.sessions.run>[0]): (() => void) => {
  const held = gate()
  for (let n = 0; n < 100; n++)
    void watch(
      w.clock,
      w.sessions.run(key, () => held.promise),
    )
  return held.open
}
const patient = { maxQueued: 1000, timeouts: { queue: "Infinity", silence: "Infinity" } } as const
/** Follows from the others. */
const quiet = { thresholds: { "queue-wait": false } } as const
const named = (warnings: ReadonlyArray<ActiveWarning>): ReadonlyArray<string> =>
  warnings.map(({ name, session }) => `${name} ${session?.key}`)

describe("what is told", () => {
  test("L16: raised and cleared, to those who subscribe, in recent, and in counts that begin at 0", async () => {
    const w = world(patient)
    using it = watching(w, quiet)
    const { counts, recent, subscribe } = it.warnings
    expect(Object.keys(counts())).toEqual(warningDefinitions.map(({ name }) => name))
    expect(Object.values(counts())).toEqual(
      warningDefinitions.map(() => ({ active: 0, activations: 0, muted: 0 })),
    )
    expect(it.warnings.evaluatedAt).toBeUndefined()
    const told: Array<string> = []
    const note = ({ at, warning, what }: WarningChange): void =>
      void told.push(`${what} ${warning.name} at ${at}`)
    const first = subscribe(note)
    using second = subscribe(note)
    const release = crowd(w, "a")
    await w.clock.advance(5000)
    expect(it.warnings.evaluatedAt).toBe(5000)
    first()
    first()
    release()
    await w.clock.advance(20_000)
    expect(told).toEqual([
      "raised pending-high at 5000",
      "raised pending-high at 5000",
      "cleared pending-high at 20000",
    ])
    expect(counts()["pending-high"]).toEqual({ active: 0, activations: 1, muted: 0 })
    expect(recent().map(({ what }) => what)).toEqual(["cleared", "raised"])
    expect(recent()[0]?.warning).toMatchObject({ since: 5000, evidence: { pending: 100 } })
    expect(second).toBeDefined()
  })

  test("L16: recent is bounded, and so is the list of what is raised; counts are exact", async () => {
    const w = world({ ...patient, maxSessions: Infinity })
    using it = watching(w, {
      thresholds: { "fan-out": { tasks: 0 }, "reuse-low": false, "key-suspect": false },
    })
    const held = gate()
    await w.clock.advance(1000)
    for (let n = 0; n < 1200; n++)
      void watch(
        w.clock,
        w.sessions.run(`k${n}`, () => held.promise),
      )
    await w.clock.advance(1000)
    const { activations, active } = it.warnings.counts()["fan-out"]
    expect([active, activations]).toEqual([1200, 1200])
    expect([it.warnings.active().length, it.warnings.recent().length]).toEqual([1000, 256])
    held.open()
    await w.clock.advance(5000)
    expect(it.warnings.counts()["fan-out"]).toMatchObject({ active: 0, activations: 1200 })
    expect(it.warnings.active()).toEqual([])
  })

  test("L16: a listener that throws or rejects ends nothing, is counted, and the next is told all the same", async () => {
    const w = world(patient)
    const lines: Array<string> = []
    using it = watching(w, {
      log: () => {
        throw new Error("a log's own")
      },
    })
    it.warnings.subscribe(() => {
      throw new Error("a listener's own")
    })
    it.warnings.subscribe(() => Promise.reject(new Error("an async listener's own")))
    it.warnings.subscribe(({ what }) => lines.push(what))
    crowd(w, "a")
    await w.clock.advance(6000)
    expect(lines).toEqual(["raised"])
    await settle()
    expect(it.watch.errors).toBe(3)
    expect(it.warnings.evaluatedAt).toBe(6000)
  })

  test("L16: a listener may end the watch it is told by", async () => {
    const w = world(patient)
    const it = watching(w)
    it.warnings.subscribe(() => it[Symbol.dispose]())
    crowd(w, "a")
    await w.clock.advance(10_000)
    expect([it.process.disposed, it.process.reads, w.registry.changes]).toEqual([1, 5, undefined])
  })
})

describe("the log", () => {
  const hostile = "\u001b[31m<b>\u202e\n"
  test("L16 L17: a line has no key, nothing that steers a terminal, the numbers, and what to do", async () => {
    const w = world(patient)
    const lines: Array<string> = []
    using it = watching(w, { log: (warning) => lines.push(warningLine(warning)) })
    const key = { owner: "alice@example.org", id: "secret" }
    void watch(
      w.clock,
      w.sessions.run(key, () => gate().promise, { name: hostile, silence: "20 minutes" }),
    )
    await w.clock.advance(40_000)
    expect(lines).toHaveLength(1)
    const [line = ""] = lines
    expect(line).toContain(keyHash(key))
    expect(line).toContain("task-overdue: task t1")
    expect(line).toContain("ageMs 31000, limitMs 30000")
    expect(line).not.toMatch(/alice|secret/)
    expect(line).not.toMatch(/\p{Cc}|\p{Cf}/u)
    const [warning] = it.warnings.active()
    expect(warning?.session).toMatchObject({ id: "secret" })
    for (const shown of [inspect(warning, { depth: 9, getters: false }), JSON.stringify(warning)])
      expect(shown).not.toMatch(/alice|secret/)
  })

  test("L16: once for each activation, and not again for the same within ten minutes", async () => {
    const w = world(patient)
    const logged: Array<string> = []
    using it = watching(w, {
      ...quiet,
      log: ({ session }) => logged.push(`${session?.key} at ${w.clock.now}`),
    })
    for (const key of ["a", "a", "b"]) {
      const release = crowd(w, key)
      await w.clock.advance(30_000)
      release()
      await w.clock.advance(30_000)
    }
    expect(it.warnings.counts()["pending-high"].activations).toBe(3)
    expect(logged).toEqual(["a at 5000", "b at 125000"])
    await w.clock.advance(500_000)
    crowd(w, "a")
    await w.clock.advance(10_000)
    expect(logged.slice(2)).toEqual(["a at 685000"])
  })

  test("L16: what was raised while nobody wanted to know is told to who asks later, if it still is", async () => {
    const w = world(patient)
    using it = watching(w, quiet)
    const release = crowd(w, "over")
    await w.clock.advance(6000)
    release()
    await w.clock.advance(20_000)
    crowd(w, "a")
    await w.clock.advance(6000)
    const logged: Array<string> = []
    using later = watchWith(it.watch, {
      log: ({ session }) => logged.push(`${session?.key} at ${w.clock.now}`),
    })
    await w.clock.advance(3000)
    expect(logged.filter((line) => line.startsWith("a "))).toEqual(["a at 33000"])
    expect([logged.some((line) => line.startsWith("over")), later.evaluatedAt]).toEqual([false, 35_000])
  })

  test("L16: by default one warning of Node's for each warning and kind, whatever the number of sessions and callers", async () => {
    const w = world(patient)
    const emitted: Array<NodeJS.ErrnoException & { detail?: string }> = []
    const listen = (warning: Error): void => void emitted.push(warning)
    process.on("warning", listen)
    try {
      using it = watching(w, { log: undefined })
      using other = watchWith(it.watch, { sessions: [registryOf(w)] })
      using silent = watchWith(it.watch, { sessions: [registryOf(w)], log: false })
      crowd(w, "a")
      crowd(w, "b")
      crowd(w, "c")
      await w.clock.advance(8000)
      const ours = emitted.filter(({ name }) => name === "SojournWarning")
      expect(ours.map(({ code }) => code)).toEqual(["pending-high"])
      expect(ours[0]?.message).toContain("and 2 more of this kind")
      expect(ours[0]?.detail).toBe("docs/warnings/pending-high.md says more.")
      expect([other.active().length, silent.active().length]).toEqual([3, 3])
    } finally {
      process.off("warning", listen)
    }
  })
})

/** Where a warning is asked for by its name, its id will do. */
const { id } = warningCatalogue["pending-high"]

describe("muting", () => {
  test("L16: a muted warning is shown as that and not logged; when its time is over it is", async () => {
    const w = world(patient)
    const logged: Array<number> = []
    using it = watching(w, { log: () => logged.push(w.clock.now) })
    it.warnings.mute("pending-high", { for: "1 minute", kind: w.sessions.name })
    expect(it.warnings.mutes()).toEqual([{ warning: "pending-high", kind: w.sessions.name, until: 60_000 }])
    crowd(w, "a")
    await w.clock.advance(59_000)
    expect(it.one("pending-high")?.mutedUntil).toBe(60_000)
    expect(it.warnings.counts()["pending-high"]).toEqual({ active: 1, activations: 1, muted: 1 })
    expect(logged).toEqual([])
    await w.clock.advance(2000)
    expect([logged, it.one("pending-high")?.mutedUntil, it.warnings.mutes()]).toEqual([
      [60_000],
      undefined,
      [],
    ])
    expect(it.warnings.counts()["pending-high"]).toEqual({ active: 1, activations: 1, muted: 0 })
  })

  test("L16: what was raised and cleared while it was muted is never logged", async () => {
    const w = world(patient)
    const logged: Array<number> = []
    using it = watching(w, { ...quiet, log: () => logged.push(w.clock.now) })
    it.warnings.mute(id, { for: 60_000 })
    const release = crowd(w, "a")
    await w.clock.advance(10_000)
    release()
    await w.clock.advance(120_000)
    expect([it.warnings.counts()["pending-high"].activations, logged]).toEqual([1, []])
  })

  test("L16: muting is of one warning, of one kind, and may be ended early", async () => {
    const w = world(patient)
    const logged: Array<number> = []
    using it = watching(w, { log: () => logged.push(w.clock.now) })
    it.warnings.mute("pending-high", { for: "1 hour", kind: "elsewhere" })
    it.warnings.mute("fan-out", { for: "1 hour" })
    crowd(w, "a")
    await w.clock.advance(10_000)
    expect(logged).toEqual([5000])
    const end = it.warnings.mute("pending-high", { for: "Infinity" })
    crowd(w, "b")
    await w.clock.advance(10_000)
    expect(logged).toEqual([5000])
    end()
    await w.clock.advance(1000)
    expect(logged).toEqual([5000, 21_000])
  })
})

describe("thresholds", () => {
  test("L16: for all kinds and for one, which comes first; the last one given counts, as long as it is held", async () => {
    const w = world(patient)
    const kind = w.sessions.name.replace(/#\d+$/, "")
    using it = watching(w, {
      thresholds: { "pending-high": { pending: 50, for: "2 seconds" }, "loop-stall": false },
      kinds: { [kind]: { "pending-high": { pending: 120 } } },
    })
    const { disabled, thresholds } = it.warnings
    expect(thresholds()["pending-high"]).toEqual({ pending: 50, share: 0.8, for: 2000 })
    expect(thresholds(kind)["pending-high"]).toEqual({ pending: 120, share: 0.8, for: 2000 })
    expect(thresholds(`${kind}#7`)["pending-high"].pending).toBe(120)
    expect([disabled(), thresholds("another")["pending-high"].pending]).toEqual([["loop-stall"], 50])
    crowd(w, "a")
    await w.clock.advance(10_000)
    expect(it.raised()).toEqual([])
    const looser = watchWith(it.watch, { log: false, kinds: { [kind]: { "pending-high": { pending: 90 } } } })
    await w.clock.advance(3000)
    expect(it.raised()).toEqual(["pending-high"])
    looser[Symbol.dispose]()
    expect(thresholds(kind)["pending-high"].pending).toBe(120)
    await w.clock.advance(6000)
    // Between 96 and 120 it stays.
    expect(it.raised()).toEqual(["pending-high"])
    using off = watchWith(it.watch, { log: false, kinds: { [kind]: { "pending-high": false } } })
    await w.clock.advance(1000)
    expect([it.raised(), off.disabled(kind)]).toEqual([[], ["loop-stall", "pending-high"]])
    expect(off.disabled()).toEqual(["loop-stall"])
    using on = watchWith(it.watch, { log: false, thresholds: { "loop-stall": {} } })
    expect(on.disabled()).toEqual([])
  })

  test("L16: a threshold that is lowered is held against what goes on already", async () => {
    const w = world(patient)
    using it = watching(w)
    void watch(
      w.clock,
      w.sessions.run("a", () => gate().promise, { silence: "10 hours" }),
    )
    await w.clock.advance(12_000)
    using stricter = watchWith(it.watch, { log: false, thresholds: { "task-overdue": { age: 10_000 } } })
    await w.clock.advance(1000)
    expect([it.raised(), stricter.thresholds()["task-overdue"].age]).toEqual([["task-overdue"], 10_000])
  })

  test.each<[string, unknown, RegExp]>([
    ["an option", { treshold: {} }, /treshold: there is no such option/],
    ["a warning", { thresholds: { "pending-hihg": {} } }, /pending-hihg: there is no such warning/],
    ["a threshold", { thresholds: { "pending-high": { pendng: 1 } } }, /pendng: there is no such threshold/],
    ["an inherited name", { thresholds: { "pending-high": { toString: 1 } } }, /no such threshold/],
    ["a number", { thresholds: { "pending-high": { pending: "many" } } }, /thresholds.pending-high.pending/],
    ["a negative", { thresholds: { "pending-high": { pending: -1 } } }, /at least 0/],
    ["no number", { thresholds: { "pending-high": { share: Number.NaN } } }, /at least 0/],
    ["a time", { thresholds: { "pending-high": { for: "soon" } } }, /thresholds.pending-high.for/],
    ["true", { thresholds: { "pending-high": true } }, /an object/],
    ["a kind", { kinds: { "": {} } }, /kinds/],
    ["a warning of a kind", { kinds: { chat: { nothing: {} } } }, /kinds.chat.nothing/],
    ["sessions", { sessions: {} }, /sessions/],
    ["no registry", { sessions: [{}] }, /no registry/],
    ["a log", { log: true }, /log/],
  ])("L17: %s that is wrong is told at once", (_, options, message) => {
    const it = makeWatch({ process: () => new FakeProcess() })
    expect(() => watchWith(it, options as WatchWarningsOptions)).toThrow(message)
    // Nothing has begun.
    expect(it.clients).toBe(0)
  })

  test("L17: muting what is not known is told at once", () => {
    using it = watchWith(makeWatch({ process: () => new FakeProcess() }), { log: false, sessions: [] })
    expect(() => it.mute("nothing" as never, { for: 1 })).toThrow(/no such warning/)
    expect(() => it.mute(id, { for: "soon" as never })).toThrow(/for/)
    expect(() => it.mute(id, { fro: 1 } as never)).toThrow(/fro/)
    expect(() => it.mute(id, { for: 1, kind: "" })).toThrow(/kind/)
  })
})

test("L8 L16: watching does not keep the process alive", { timeout: 30_000 }, async () => {
  const program = join(import.meta.dirname, "aliveProgram.ts")
  const { stderr, stdout } = await promisify(execFile)(process.execPath, [program])
  const { lived } = JSON.parse(stdout) as { readonly lived: number }
  expect([stderr, lived < 900]).toEqual(["", true])
})

describe("many who watch", () => {
  test("L16: share one look a second, and each sees its registries; it ends with the last of them", async () => {
    const w = world(patient)
    const other = world(patient, undefined, w.clock)
    const source = new FakeProcess()
    const shared = makeWatch({ time: timeSource(w.clock), process: () => source })
    const one = watchWith(shared, { sessions: [w.sessions], log: false })
    const two = watchWith(shared, { sessions: [other.sessions], log: false })
    const all = watchWith(shared, { log: false })
    const own = (): ReadonlyArray<string> =>
      named(
        all.active().filter(({ kind }) => [undefined, w.sessions.name, other.sessions.name].includes(kind)),
      )
    crowd(w, "a")
    crowd(other, "b")
    source.reading = { ...source.reading, stall: 500 }
    await w.clock.advance(6000)
    expect(source.reads).toBe(6)
    expect(named(one.active())).toEqual(["loop-stall undefined", "pending-high a"])
    expect(named(two.active())).toEqual(["loop-stall undefined", "pending-high b"])
    expect(own()).toEqual(["loop-stall undefined", "pending-high a", "pending-high b"])
    expect(all.counts()["pending-high"].active).toBeGreaterThanOrEqual(2)
    expect([one, two].map((watched) => watched.counts()["pending-high"].active)).toEqual([1, 1])
    all[Symbol.dispose]()
    two[Symbol.dispose]()
    two[Symbol.dispose]()
    await w.clock.advance(2000)
    expect([other.registry.changes, w.registry.changes === undefined]).toEqual([undefined, false])
    expect(named(one.active())).toEqual(["loop-stall undefined", "pending-high a"])
    one[Symbol.dispose]()
    expect([w.registry.changes, source.disposed]).toEqual([undefined, 1])
    await w.clock.advance(5000)
    expect(source.reads).toBe(8)
    // And begins again with the next.
    using again = watchWith(shared, { sessions: [w.sessions], log: false })
    await w.clock.advance(6000)
    expect(named(again.active())).toEqual(["loop-stall undefined", "pending-high a"])
    expect([again.counts()["pending-high"].activations, source.disposed]).toEqual([2, 1])
  })

  test("L16: registries that come later are seen, those that have drained are let go of and still counted", async () => {
    const w = world(patient)
    const shared = makeWatch({ time: timeSource(w.clock), process: () => new FakeProcess() })
    using it = watchWith(shared, { log: false, ...quiet })
    const later = world(patient, undefined, w.clock)
    const own = (): ReadonlyArray<string> =>
      named(it.active().filter(({ kind }) => kind === later.sessions.name))
    const release = crowd(later, "a")
    await w.clock.advance(6000)
    expect(own()).toEqual(["pending-high a"])
    release()
    const drained = later.sessions.drain()
    await w.clock.advance(1000)
    await drained
    await w.clock.advance(1000)
    expect([own(), later.registry.changes]).toEqual([[], undefined])
    expect(it.counts()["pending-high"].activations).toBeGreaterThanOrEqual(1)
    const { activations } = it.counts()["pending-high"]
    await w.clock.advance(5000)
    expect(it.counts()["pending-high"].activations).toBe(activations)
  })

  test("L16: in one process there is one, whoever asks", async () => {
    const sessions = createSessions({ name: "one", open: () => ({}) })
    using first = watchWarnings({ log: false, sessions: [sessions] })
    {
      using second = watchWarnings({ log: false, kinds: { one: { "pending-high": { pending: 7 } } } })
      expect(first.thresholds("one")["pending-high"].pending).toBe(7)
      expect(second.active()).toEqual([])
    }
    expect(first.thresholds("one")["pending-high"].pending).toBe(100)
    await sessions.drain()
  })
})

/** How many are alive; collects garbage first. */
const alive = (): number => queryObjects(Session, { format: "count" })

test("L26: no session is held that is closed, whatever was said of it", async () => {
  const before = alive()
  const w = world({ idleTimeout: 500, maxSessions: Infinity, restart: { delay: 0 } })
  using it = watching(w, {
    thresholds: { "fan-out": { tasks: 0 }, "task-overdue": { age: 1000 }, "key-suspect": { samples: 10 } },
  })
  const use = async (batch: number): Promise<void> => {
    const leases = []
    for (let n = 0; n < 100; n++) {
      const key = `${batch}-${n}`
      if (n % 4 === 0) leases.push(await w.sessions.lease(key))
      void watch(
        w.clock,
        w.sessions.run(key, async (_, task) => {
          if (n % 7 === 0) task.background("more", () => w.clock.after(1500))
          await w.clock.after(n % 3 === 0 ? 2500 : 10)
          if (n % 5 === 0) throw new Error("bad")
        }),
      )
    }
    await w.clock.advance(4000)
    for (const lease of leases) await lease.release()
  }
  for (let batch = 0; batch < 10; batch++) await use(batch)
  await w.clock.advance(10_000)
  expect(it.warnings.counts()["task-overdue"].activations).toBeGreaterThan(90)
  expect(w.registry.sessions.size).toBe(0)
  w.events.length = 0
  for (let round = 0; round < 20; round++) await settle()
  expect(alive() - before).toBeLessThan(20)
})

describe.each(faces)("$face", ({ world: worldOf }) => {
  test("L16: watching changes nothing of what happens, nor of what others are told", async () => {
    const live = async (isWatched: boolean): Promise<unknown> => {
      const w = worldOf({
        idleTimeout: 3000,
        maxSessions: 4,
        restart: { delay: 0 },
        timeouts: { seat: 1000, silence: 4000, grace: 500, close: 2000 },
      })
      const it = isWatched ? watching(w, { thresholds: { "pending-high": { pending: 1 } } }) : undefined
      const calls = Array.from({ length: 60 }, (_, n) => n)
      const outcomes: Array<ReturnType<typeof watch>> = []
      for (const n of calls) {
        outcomes.push(
          watch(
            w.clock,
            w.sessions.run(
              `k${n % 7}`,
              async (_, task) => {
                if (n % 11 === 0) task.broken(new Error("lost"))
                if (n % 5 === 0) throw new Error("bad")
                await (n % 13 === 0 ? gate().promise : w.clock.after(100 * (n % 9)))
              },
              n % 4 === 0 ? { timeout: 700 } : {},
            ),
          ),
        )
        await w.clock.advance(300)
      }
      await w.clock.advance(20_000)
      expect(it?.watch.errors ?? 0).toBe(0)
      if (it !== undefined) expect(it.warnings.counts()["pending-high"].activations).toBeGreaterThan(0)
      const told = w.events.map(({ at, seq, _tag }) => [_tag, at, seq])
      it?.[Symbol.dispose]()
      return [outcomes.map(({ at, outcome }) => [outcome, at]), told, w.ledger.lines]
    }
    expect(await live(true)).toEqual(await live(false))
  })

  test("L26: nothing is kept of sessions that are closed, however many there were", async () => {
    const w = worldOf({ idleTimeout: 0, maxSessions: Infinity, restart: { delay: 0, times: 1000 } })
    using it = watching(w, { thresholds: { "recreate-loop": { window: 5000 }, unhealthy: { window: 5000 } } })
    for (let n = 0; n < 2000; n++) {
      void watch(
        w.clock,
        w.sessions.run(`k${n}`, (_, task) => {
          if (n % 3 === 0) task.broken(new Error("lost"))
          if (n % 4 === 0) throw new Error("bad")
        }),
      )
      if (n % 100 === 99) await w.clock.advance(1000)
    }
    await w.clock.advance(70_000)
    expect([w.sessions.snapshot().counts.Ready, it.watch.kept, it.watch.errors]).toEqual([0, 0, 0])
    for (const change of it.warnings.recent()) expect(change.warning.session?.key ?? "").toMatch(/^(k\d+)?$/)
  })

  test("L26: a session that is closed takes its warnings with it at once", async () => {
    const w = worldOf(patient)
    using it = watching(w)
    const held = gate()
    for (let n = 0; n < 100; n++)
      void watch(
        w.clock,
        w.sessions.run("a", () => held.promise),
      )
    await w.clock.advance(6000)
    expect(it.raised()).toEqual(["pending-high"])
    held.open()
    void w.sessions.close("a")
    await w.clock.advance(1000)
    expect([it.raised(), it.watch.kept]).toEqual([[], 0])
  })
})
