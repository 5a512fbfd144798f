import { createSessions, Sessions } from "@sojourn/core"
import { keyHash } from "@sojourn/core/host"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { readFile } from "node:fs/promises"
import { setImmediate as turnOfLoop, setTimeout as pass } from "node:timers/promises"
import { expect, test } from "vitest"
import {
  attribute,
  beginAttribution,
  type AttributedRow,
  type Attribution,
} from "../../src/profile/attribute.ts"
import { ProfileRefused } from "../../src/profile/ProfileRefused.ts"
import { profiling } from "../../src/profile/oneAtATime.ts"

const open = () => ({})
/**
 * Real work, and who did it for how long by their own clock. Each moment is counted once; so where everybody is found to have
 * at least what they took, nobody's time is another's, however slow the machine is.
 */
class Ledger {
  readonly spent = new Map<string, number>()
  readonly work = (who: string, ms: number): void => {
    const began = performance.now()
    while (performance.now() - began < ms);
    this.spent.set(who, (this.spent.get(who) ?? 0) + performance.now() - began)
  }
  by(who: string): number {
    return this.spent.get(who) ?? Number.NaN
  }
}
async function* twice(): AsyncGenerator<number> {
  yield 1
  await pass(1)
  yield 2
}
const during = async (work: () => Promise<unknown>, limit?: number): Promise<Attribution> => {
  using under = await beginAttribution()
  await work()
  // The last stretch is over when something else runs.
  await pass(1)
  return under.end(limit)
}
const of = (result: Attribution, kind: string, key: Parameters<typeof keyHash>[0]) => {
  const rows = result.rows.filter((row) => row.kind === kind && row.session === keyHash(key))
  return (choose: (row: AttributedRow) => boolean = ({ over }) => !over): number =>
    rows.filter(choose).reduce((sum, { selfMs }) => sum + selfMs, 0) + 0.01
}

test("a busy turn is found under its own session and task, and not another's", async () => {
  await using sessions = createSessions({ name: "busy", open })
  const { by, work } = bound(new Ledger())
  const result = await during(() =>
    Promise.all([
      sessions.run("heavy", () => work("heavy", 60), { name: "crunch" }),
      sessions.run(
        "light",
        async () => {
          await pass(5)
          work("light", 10)
        },
        { name: "wait" },
      ),
    ]),
  )
  expect(of(result, "busy", "heavy")()).toBeGreaterThanOrEqual(by("heavy"))
  expect(of(result, "busy", "light")()).toBeGreaterThanOrEqual(by("light"))
  expect(result.rows[0]).toMatchObject({
    kind: "busy",
    task: "crunch",
    what: "turn",
    session: keyHash("heavy"),
  })
  expect(result.rows[0]?.longestMs).toBeGreaterThanOrEqual(by("heavy"))
  expect(result.kinds[0]?.kind).toBe("busy")
  expect(JSON.stringify(result)).not.toContain("heavy")
})

test("time is its task's across awaits, timers, files, microtasks and callbacks, also when turns alternate", async () => {
  await using sessions = createSessions({ name: "weave", open })
  const { by, work } = bound(new Ledger())
  const path = new URL(import.meta.url)
  const weave = async (who: string, ms: number): Promise<void> => {
    work(who, ms)
    await Promise.resolve()
    work(who, ms)
    await pass(1)
    work(who, ms)
    await turnOfLoop()
    work(who, ms)
    await readFile(path)
    work(who, ms)
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        work(who, ms)
        process.nextTick(() => {
          work(who, ms)
          queueMicrotask(() => {
            work(who, ms)
            resolve()
          })
        })
      }, 1)
    })
    for await (const _ of twice()) work(who, ms)
  }
  const result = await during(() => {
    const all = ["a", "b", "c"].map((who, index) => sessions.run(who, () => weave(who, 1 + 3 * index)))
    work("host", 20)
    return Promise.all(all)
  })
  for (const who of ["a", "b", "c"]) expect([who, of(result, "weave", who)() >= by(who)]).toEqual([who, true])
  expect(result.hostMs).toBeGreaterThanOrEqual(by("host"))
})

test("what waited before anybody watched is seen when it goes on", async () => {
  await using sessions = createSessions({ name: "waited", open })
  const { by, work } = bound(new Ledger())
  const door = Promise.withResolvers<void>()
  const deep = async (who: string): Promise<void> => {
    await door.promise
    work(who, 20)
  }
  // It calls another session before anything else is known of it.
  const calling = sessions.run("c", async () => {
    await door.promise
    work("c", 20)
    await sessions.run("d", () => work("d", 10))
  })
  const turns = ["a", "b"].map((who) =>
    sessions.run(who, async () => {
      await deep(who)
      work(who, 10)
      await pass(1)
      work(who, 10)
    }),
  )
  const host = door.promise.then(() => work("host", 10))
  await pass(5)
  const result = await during(() => {
    door.resolve()
    return Promise.all([...turns, calling, host])
  })
  for (const who of ["a", "b", "c", "d"])
    expect([who, of(result, "waited", who)() >= by(who)]).toEqual([who, true])
  expect(result.hostMs).toBeGreaterThanOrEqual(by("host"))
  expect(result.inferredMs).toBeGreaterThan(0)
})

test("what a turn calls of another session is that one's, and not its own", async () => {
  await using outer = createSessions({ name: "outer", open })
  await using inner = createSessions({ name: "inner", open })
  const { by, work } = bound(new Ledger())
  const result = await during(() =>
    outer.run("o", async () => {
      work("o", 20)
      await inner.run("i", async () => {
        work("i", 40)
        await pass(1)
        work("i", 10)
      })
      work("o", 5)
    }),
  )
  expect(of(result, "inner", "i")()).toBeGreaterThanOrEqual(by("i"))
  expect(of(result, "outer", "o")()).toBeGreaterThanOrEqual(by("o"))
})

test("opens, finalizers, streams and work in the background are named as what they are", async () => {
  const { by, work } = bound(new Ledger())
  const sessions = createSessions({
    name: "parts",
    open: ({ onClose }) => {
      work("open", 15)
      onClose(() => work("finalizer", 25))
      return {}
    },
  })
  const result = await during(async () => {
    await sessions.run(
      "p",
      (_, task) => {
        work("begin", 5)
        task.background("later", async () => {
          await pass(5)
          work("later", 20)
        })
      },
      { name: "begin" },
    )
    const stream = sessions.stream(
      "p",
      async function* () {
        for (let item = 0; item < 5; item++) {
          work("items", 4)
          yield item
        }
      },
      { name: "items" },
    )
    for await (const _ of stream) work("consumer", 2)
    await sessions.drain()
  })
  const time = of(result, "parts", "p")
  for (const what of ["open", "finalizer"])
    expect([what, time((row) => row.what === what && row.task === undefined) >= by(what)]).toEqual([
      what,
      true,
    ])
  for (const task of ["begin", "later", "items"])
    expect([task, time((row) => row.what === "turn" && row.task === task && !row.over) >= by(task)]).toEqual([
      task,
      true,
    ])
  expect(result.hostMs).toBeGreaterThanOrEqual(by("consumer"))
})

test("what a resource does by itself is its session's, also when it was opened long before", async () => {
  const { by, work } = bound(new Ledger())
  let counting = false
  await using sessions = createSessions({
    name: "ticking",
    open: ({ onClose }) => {
      const timer = setInterval(() => {
        if (counting) work("resource", 5)
      }, 5)
      onClose(() => clearInterval(timer))
      return {}
    },
  })
  await sessions.run("t", () => 1)
  const result = await during(async () => {
    counting = true
    while (!(by("resource") > 20)) await pass(5)
    counting = false
  })
  expect(of(result, "ticking", "t")(({ what }) => what === "resource")).toBeGreaterThanOrEqual(by("resource"))
})

test("what goes on after a turn is over is not called its own time", async () => {
  await using sessions = createSessions({ name: "after", open })
  const { by, work } = bound(new Ledger())
  let left: Promise<void> | undefined
  const result = await during(async () => {
    await sessions.run("a", () => {
      work("in time", 5)
      left = pass(10).then(() => work("left behind", 30))
    })
    await left
  })
  const time = of(result, "after", "a")
  expect(time()).toBeGreaterThanOrEqual(by("in time"))
  expect(time(({ over }) => over)).toBeGreaterThanOrEqual(by("left behind"))
  expect(result.overMs + 0.01).toBeGreaterThanOrEqual(by("left behind"))
})

test("all parts are the whole", async () => {
  await using sessions = createSessions({ name: "host", open })
  const { by, work } = bound(new Ledger())
  const result = await during(async () => {
    await pass(1)
    work("host", 30)
    await sessions.run("h", () => work("h", 30))
    await pass(1)
    work("host", 30)
  })
  expect(result.hostMs).toBeGreaterThanOrEqual(by("host"))
  expect(of(result, "host", "h")()).toBeGreaterThanOrEqual(by("h"))
  const parts = result.sessionsMs + result.overMs + result.hostMs + result.unattributedMs
  expect(parts).toBeGreaterThanOrEqual(result.activeMs - 0.01)
  expect(result.sessionsMs + result.overMs + result.hostMs).toBeLessThanOrEqual(result.elapsedMs + 0.01)
  expect(result.activeMs).toBeLessThanOrEqual(result.elapsedMs)
  expect(result.errorShare).toBeLessThanOrEqual(1)
  expect(result.overheadMs).toBeGreaterThan(0)
  const kinds = result.kinds.reduce((sum, { selfMs }) => sum + selfMs, 0)
  expect(Math.abs(kinds - result.sessionsMs)).toBeLessThan(0.1)
})

const bound = (ledger: Ledger) => ({ work: ledger.work, by: (who: string) => ledger.by(who) })

class Tag extends Context.Service<Tag, { readonly n: number }>()("test/Tag") {}
class Fibers extends Sessions.Service<Fibers>()("fibers", { layer: () => Layer.succeed(Tag, { n: 1 }) }) {}
const app = async <A>(
  use: (run: <B, E>(effect: Effect.Effect<B, E, Fibers>) => Promise<B>) => Promise<A>,
): Promise<A> => {
  const scope = Scope.makeUnsafe()
  const context = await Effect.runPromise(Layer.buildWithScope(Fibers.layer, scope))
  try {
    return await use((effect) => Effect.runPromise(Effect.provideContext(effect, context)))
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

test("Effect: time is its fiber's across sleeps, yields and children, also when fibers alternate", async () => {
  const { by, work } = bound(new Ledger())
  const crunch = (who: string, ms: number) => Effect.sync(() => work(who, ms))
  const weave = (who: string, ms: number) =>
    Effect.gen(function* () {
      yield* crunch(who, ms)
      yield* Effect.yieldNow
      yield* crunch(who, ms)
      yield* Effect.sleep(2)
      yield* crunch(who, ms)
      yield* Effect.promise(() => pass(2))
      yield* crunch(who, ms)
      yield* Effect.all([crunch(who, ms), Effect.andThen(Effect.sleep(1), crunch(who, ms))], {
        concurrency: 2,
      })
    })
  const whos = ["a", "b", "c"]
  const result = await app((run) =>
    during(() =>
      run(
        Effect.all(
          whos.map((who, index) => Fibers.run(who, weave(who, 2 + 3 * index))),
          { concurrency: 3 },
        ),
      ),
    ),
  )
  for (const who of whos) expect([who, of(result, "fibers", who)() >= by(who)]).toEqual([who, true])
})

test("Effect: a fiber that another session's wakes has its own time, also later on", async () => {
  const { by, work } = bound(new Ledger())
  const crunch = (who: string, ms: number) => Effect.sync(() => work(who, ms))
  const result = await app((run) =>
    during(() =>
      run(
        Effect.gen(function* () {
          const door = yield* Deferred.make<void>()
          const woken = Effect.gen(function* () {
            yield* Deferred.await(door)
            yield* crunch("woken", 30)
            // From here on its timers are made in the context of who woke it.
            yield* Effect.sleep(5)
            yield* crunch("woken", 30)
          })
          const waker = Effect.gen(function* () {
            yield* Effect.sleep(5)
            yield* Deferred.succeed(door, undefined)
            yield* crunch("waker", 10)
            yield* Effect.sleep(80)
            yield* crunch("waker", 10)
          })
          yield* Effect.all([Fibers.run("woken", woken), Fibers.run("waker", waker)], { concurrency: 2 })
        }),
      ),
    ),
  )
  expect(of(result, "fibers", "woken")()).toBeGreaterThanOrEqual(by("woken"))
  expect(of(result, "fibers", "waker")()).toBeGreaterThanOrEqual(by("waker"))
})

test("Effect: what a caller does after its turn is not the turn's time", async () => {
  const { by, work } = bound(new Ledger())
  const crunch = (who: string, ms: number) => Effect.sync(() => work(who, ms))
  const result = await app((run) =>
    during(() =>
      run(
        Effect.gen(function* () {
          yield* Fibers.run("t", Effect.andThen(Effect.sleep(5), crunch("turn", 20)))
          yield* crunch("caller", 40)
          yield* Effect.sleep(5)
          yield* crunch("caller", 20)
        }),
      ),
    ),
  )
  expect(of(result, "fibers", "t")()).toBeGreaterThanOrEqual(by("turn"))
  expect(result.hostMs + result.overMs + 0.01).toBeGreaterThanOrEqual(by("caller"))
})

test("rows beyond the limit are summed up", async () => {
  await using sessions = createSessions({ name: "rows", open })
  const { by, work } = bound(new Ledger())
  const result = await during(async () => {
    for (let key = 0; key < 20; key++) await sessions.run(`k${key}`, () => work("all", 1))
  }, 5)
  expect(result.rows).toHaveLength(5)
  expect(result.more.rows).toBeGreaterThanOrEqual(15)
  const shown = result.rows.filter(({ over }) => !over).reduce((sum, { selfMs }) => sum + selfMs, 0)
  expect(shown + result.more.selfMs + 0.1).toBeGreaterThanOrEqual(by("all"))
  expect(result.sessionsMs + 0.1).toBeGreaterThanOrEqual(by("all"))
})

test("one at a time, bounded, and gone when it is aborted", async () => {
  const asked = (work: Promise<unknown>) =>
    work.then(
      () => "done",
      (error: unknown) => (error instanceof ProfileRefused ? error.reason : error),
    )
  for (const forMs of [0, 9, 60_001, Number.NaN, Infinity])
    expect(await asked(attribute({ forMs }))).toBe("InvalidTime")
  const gone = new AbortController()
  const first = asked(attribute({ forMs: 60_000, signal: gone.signal }))
  expect(profiling()).toBe("attributing time")
  expect(await asked(attribute({ forMs: 10 }))).toBe("Busy")
  await pass(20)
  const why = new Error("enough")
  gone.abort(why)
  expect(await first).toBe(why)
  expect(profiling()).toBeUndefined()
  expect(await asked(attribute({ forMs: 10, signal: gone.signal }))).toBe(why)
  expect(await asked(attribute({ forMs: 10 }))).toBe("done")
})

test("when it is over, nothing of it is called any more", async () => {
  await using sessions = createSessions({ name: "left", open })
  const under = await beginAttribution()
  await sessions.run("a", () => 1)
  const { stretches } = under.end()
  expect(stretches).toBeGreaterThan(0)
  await sessions.run("a", () => pass(1))
  expect(under.end().stretches).toBe(stretches)
  under[Symbol.dispose]()
  expect(profiling()).toBeUndefined()
  // Another one begins with nothing.
  using next = await beginAttribution()
  expect(next.end().rows).toEqual([])
})
