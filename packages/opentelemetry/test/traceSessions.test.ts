import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api"
import { setTimeout as pass } from "node:timers/promises"
import { AlwaysOffSampler, type SpanProcessor } from "@opentelemetry/sdk-trace-base"
import { createSessions, type Opening, type SessionKey } from "@sojourn/core"
import { keyHash } from "@sojourn/core/host"
import { inspectionOf } from "@sojourn/core/inspect"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { traceSessions, type TracingOptions } from "../src/index.ts"
import { version } from "../src/version.ts"
import manifest from "../package.json" with { type: "json" }
import { Sdk } from "./support/sdk.ts"

let sdk: Sdk
beforeEach(() => void (sdk = new Sdk()))
afterEach(() => sdk[Symbol.asyncDispose]())

/** What instrumentation of a database or of `fetch` does. */
const instrumented = (name: string): void => sdk.app.startSpan(name).end()
const request = <A>(name: string, work: () => Promise<A>): Promise<A> =>
  sdk.app.startActiveSpan(name, async (span) => {
    try {
      return await work()
    } finally {
      span.end()
    }
  })
const current = (): string | undefined => {
  const span = trace.getActiveSpan()
  return span !== undefined && "name" in span ? String(span.name) : undefined
}
let names = 0
const shop = (open: (opening: Opening) => unknown = () => ({})) =>
  createSessions({ name: `shop${++names}`, open, restart: { delay: 0 } })
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))

describe("the tree of a request", () => {
  test("L19: turns are children of their request and its code of them; opening and close have traces of their own", async () => {
    const sessions = shop(async (opening) => {
      instrumented("connect")
      await pass(0)
      instrumented("migrate")
      opening.onClose(async () => {
        await pass(0)
        instrumented("goodbye")
      })
    })
    using _ = traceSessions()
    await request("POST /a", () =>
      Promise.all([
        sessions.run("a", async function load() {
          instrumented("query 1")
          await pass(0)
          instrumented("query 2")
        }),
        sessions.run("a", function save() {
          instrumented("query 3")
        }),
      ]),
    )
    await sessions.drain()
    const { name } = sessions
    expect(sdk.tree).toEqual([
      `connect < open ${name}`,
      `migrate < open ${name}`,
      `open ${name}`,
      `query 1 < load ${name}`,
      `query 2 < load ${name}`,
      `load ${name} < POST /a`,
      `query 3 < save ${name}`,
      `save ${name} < POST /a`,
      "POST /a",
      `goodbye < close ${name}`,
      `close ${name}`,
    ])
    expect(sdk.linksOf(`open ${name}`)).toEqual([`load ${name}`])
    expect(sdk.linksOf(`load ${name}`)).toEqual([`open ${name}`])
    expect(sdk.linksOf(`save ${name}`)).toEqual([`open ${name}`])
    const traces = new Set(sdk.spans.map((span) => span.spanContext().traceId))
    expect(traces.size).toBe(3)
    expect(sdk.open.spans.size).toBe(0)
  })

  test("what a span says, and in whose name", async () => {
    const sessions = shop()
    using _ = traceSessions()
    const key: SessionKey = { owner: "alice@example.org", id: "basket" }
    const started = performance.now()
    const first = sessions.run(key, () => pass(20), { name: "first" })
    await Promise.all([first, sessions.run(key, () => 1, { name: "second" })])
    const took = performance.now() - started
    await sessions.close(key)
    const span = sdk.named(`second ${sessions.name}`)
    const { "sojourn.task.queue_ms": queued, ...attributes } = span.attributes
    expect(attributes).toEqual({
      "sojourn.registry": sessions.name,
      "sojourn.session.hash": keyHash(key),
      "sojourn.task.id": "t2",
      "sojourn.task.name": "second",
      "sojourn.task.kind": "turn",
      "sojourn.generation.number": 1,
      "sojourn.generation.serial": 1,
      "sojourn.outcome": "succeeded",
    })
    expect(queued).toBeGreaterThan(15)
    expect(queued).toBeLessThan(took)
    expect(span.events.map((event) => event.name)).toEqual(["started"])
    expect([span.kind, span.status.code]).toEqual([SpanKind.INTERNAL, SpanStatusCode.UNSET])
    expect(span.instrumentationScope).toMatchObject({ name: manifest.name, version: manifest.version })
    expect(version).toBe(manifest.version)
    expect(sdk.named(`close ${sessions.name}`).attributes).toMatchObject({
      "sojourn.reason": "Requested",
      "sojourn.session.hash": keyHash(key),
    })
    expect(JSON.stringify(sdk.spans.map((each) => [each.name, each.attributes, each.events]))).not.toMatch(
      /alice|basket/,
    )
  })

  test("failures: a status and the kind of the error, never its text", async () => {
    const sessions = shop()
    using _ = traceSessions()
    await sessions.run("a", () => Promise.reject(new RangeError("secret")), { name: "fails" }).catch(() => {})
    await sessions
      .run("a", () => 1, { name: "late", mustExist: true, signal: AbortSignal.abort() })
      .catch(() => {})
    await sessions.run("b", () => 1, { name: "absent", mustExist: true }).catch(() => {})
    const shown = (name: string) => {
      const { attributes, status } = sdk.named(`${name} ${sessions.name}`)
      return [attributes["sojourn.outcome"], attributes["sojourn.reason"], attributes["error.type"], status]
    }
    const { ERROR, UNSET } = SpanStatusCode
    expect(shown("fails")).toEqual([
      "failed",
      undefined,
      "RangeError",
      { code: ERROR, message: "RangeError" },
    ])
    expect(shown("late")).toEqual(["cancelled", "Cancelled", undefined, { code: UNSET }])
    expect(shown("absent")).toEqual([
      "rejected",
      "NotFound",
      "SessionRefused",
      { code: ERROR, message: "SessionRefused" },
    ])
    expect(
      JSON.stringify(sdk.spans.map(({ attributes, events, status }) => [attributes, events, status])),
    ).not.toContain("secret")
    await sessions.drain()
  })

  test("a stream's elements are made in its span, whoever takes them", async () => {
    const sessions = shop()
    using _ = traceSessions()
    const stream = await request("GET /feed", async () =>
      sessions.stream("a", async function* feed() {
        instrumented("element 1")
        yield 1
        instrumented("element 2")
        yield current()
      }),
    )
    const taken: Array<unknown> = []
    await request("elsewhere", async () => {
      for await (const element of stream) taken.push(element)
    })
    expect(taken).toEqual([1, `feed ${sessions.name}`])
    await sessions.drain()
    expect(sdk.tree.filter((line) => /element|feed/.test(line))).toEqual([
      "GET /feed",
      `element 1 < feed ${sessions.name}`,
      `element 2 < feed ${sessions.name}`,
      `feed ${sessions.name} < GET /feed`,
    ])
    expect(sdk.named(`feed ${sessions.name}`).attributes["sojourn.task.kind"]).toBe("stream")
  })

  test("a call into another registry is a child, also of an opening; what it opens is not", async () => {
    const models = shop()
    const sessions = shop(() => models.run("shared", () => 1, { name: "warm" }))
    using _ = traceSessions()
    await request("POST /", () =>
      sessions.run("a", () => models.run("other", () => instrumented("infer"), { name: "ask" }), {
        name: "turn",
      }),
    )
    await Promise.all([sessions.drain(), models.drain()])
    expect(sdk.tree.filter((line) => !line.startsWith("close"))).toEqual([
      `open ${models.name}`,
      `warm ${models.name} < open ${sessions.name}`,
      `open ${sessions.name}`,
      `open ${models.name}`,
      `infer < ask ${models.name}`,
      `ask ${models.name} < turn ${sessions.name}`,
      `turn ${sessions.name} < POST /`,
      "POST /",
    ])
  })

  test("leases and their turns, background work, and what a turn leaves behind", async () => {
    const sessions = shop()
    using _ = traceSessions()
    const left = Promise.withResolvers<void>()
    let tidied: Promise<void> | undefined
    await request("connect", async () => {
      await using lease = await sessions.lease("a", { name: "socket" })
      await lease.run(
        (__, task) => {
          tidied = new Promise((resolve) => {
            task.background("tidy", async () => {
              await left.promise
              instrumented("sweep")
              resolve()
            })
          })
        },
        { name: "message" },
      )
    })
    left.resolve()
    await tidied
    await sessions.drain()
    expect(sdk.tree.filter((line) => !/^(open|close)/.test(line)).toSorted()).toEqual(
      [
        "connect",
        `socket ${sessions.name} < connect`,
        `message ${sessions.name} < connect`,
        `tidy ${sessions.name} < message ${sessions.name}`,
        `sweep < tidy ${sessions.name}`,
      ].toSorted(),
    )
  })

  test("L11: broken: the close is linked to the turn that said so, the next opening to the one that waited", async () => {
    const sessions = shop()
    using _ = traceSessions()
    const finder = sessions.run("a", async (__, task) => task.broken(new Error("secret")), { name: "finder" })
    await Promise.all([finder, sessions.run("a", () => 1, { name: "waiter" })])
    await sessions.drain()
    const { name } = sessions
    expect(sdk.linksOf(`close ${name}`)).toEqual([`finder ${name}`])
    const openings = sdk.spans.filter((span) => span.name === `open ${name}`)
    expect(openings.map((span) => span.attributes["sojourn.generation.number"])).toEqual([1, 2])
    const waiter = sdk.named(`waiter ${name}`)
    // It came when the first one was open already.
    expect(waiter.links.map((link) => link.context.spanId)).toEqual([openings[1]?.spanContext().spanId])
  })

  test("L5: who leaves is told at once; the span of the work goes on to its end", async () => {
    const sessions = shop()
    using _ = traceSessions()
    const gone = new AbortController()
    const [held, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const run = sessions.run(
      "a",
      async (__, { signal }) => {
        gone.abort(new Error("gone"))
        await untilStopped(signal).catch(() => {})
        await held.promise
        instrumented("rollback")
        ended.resolve()
      },
      { name: "turn", signal: gone.signal },
    )
    await expect(run).rejects.toThrow("gone")
    expect(sdk.spans.some((span) => span.name === `turn ${sessions.name}`)).toBe(false)
    held.resolve()
    await ended.promise
    await sessions.drain()
    const turn = sdk.named(`turn ${sessions.name}`)
    expect(turn.events.map((event) => event.name)).toEqual(["started", "told"])
    expect(turn.events[1]?.attributes).toEqual({
      "sojourn.outcome": "cancelled",
      "sojourn.reason": "Cancelled",
    })
    expect(turn.attributes["sojourn.outcome"]).toBe("cancelled")
    expect(sdk.tree).toContain(`rollback < turn ${sessions.name}`)
  })

  test("L13 L21: work that does not end is abandoned, and its span with it, once", async () => {
    const sessions = createSessions({
      name: `hangs${++names}`,
      open: () => ({}),
      timeouts: { silence: 20, grace: 20, close: 50 },
    })
    using _ = traceSessions()
    const held = Promise.withResolvers<void>()
    await expect(sessions.run("a", () => held.promise, { name: "turn" })).rejects.toMatchObject({
      reason: "Silent",
    })
    const turn = sdk.named(`turn ${sessions.name}`)
    expect(turn.attributes).toMatchObject({
      "sojourn.task.abandoned": true,
      "sojourn.outcome": "timedOut",
      "sojourn.reason": "Silent",
      "error.type": "TaskStopped",
    })
    expect(turn.events.map((event) => event.name)).toEqual(["started", "abandoned"])
    held.resolve()
    await sessions.drain()
    expect(sdk.spans.filter((span) => span.name === turn.name).length).toBe(1)
    expect(sdk.open.spans.size).toBe(0)
  })

  test("probes have spans if they are asked for", async () => {
    const sessions = shop((opening) => opening.probe(() => instrumented("ping"), { trustFor: 0 }))
    {
      using _ = traceSessions()
      await sessions.run("a", () => 1)
      await sessions.run("a", () => 2)
    }
    expect(sdk.tree).toContain("ping")
    await sessions.close("a")
    sdk.memory.reset()
    using _ = traceSessions({ spans: ["probe"] })
    await request("GET /", async () => {
      await sessions.run("a", () => 1)
      await sessions.run("a", () => instrumented("query"))
    })
    await sessions.drain()
    expect(sdk.tree).toEqual([
      `ping < probe ${sessions.name}`,
      `probe ${sessions.name}`,
      // Turns have no span here, so what they do is their request's.
      "query < GET /",
      "GET /",
    ])
    expect(sdk.named(`probe ${sessions.name}`).attributes["sojourn.probe.why"]).toBe("BeforeTurn")
  })
})

describe("L19: nothing of a caller is seen by the session", () => {
  test("not its span, not its context, in an open, a finalizer, a probe, and what they start", async () => {
    const key = Symbol("tenant")
    const timer = Promise.withResolvers<void>()
    const seen: Record<string, unknown> = {}
    const see = (where: string) => void (seen[where] = [current(), context.active().getValue(key)])
    const sessions = shop((opening) => {
      see("open")
      setTimeout(() => {
        see("timer of the open")
        timer.resolve()
      }, 1)
      opening.signal.addEventListener("abort", () => see("signal"))
      opening.probe(() => see("probe"), { trustFor: 0 })
      opening.onClose(() => see("finalizer"))
    })
    const tracing = traceSessions({ spans: ["task", "open", "close", "probe"] })
    await context.with(context.active().setValue(key, "alice"), () =>
      request("GET /", async () => {
        await sessions.run("a", () => see("turn"))
        await sessions.run("a", () => timer.promise)
        await sessions.close("a")
      }),
    )
    tracing[Symbol.dispose]()
    await sessions.drain()
    const { name } = sessions
    expect(seen).toEqual({
      open: [`open ${name}`, undefined],
      "timer of the open": [`open ${name}`, undefined],
      turn: [`see ${name}`, "alice"].with(0, `run ${name}`),
      probe: [`probe ${name}`, undefined],
      signal: [undefined, undefined],
      finalizer: [`close ${name}`, undefined],
    })
  })
})

describe("options", () => {
  test("a wrong option is told", () => {
    const wrong: ReadonlyArray<readonly [object, RegExp]> = [
      [{ span: [] }, /span/],
      [{ spans: ["turn"] }, /spans: an array of open, task, probe, close/],
      [{ spans: "task" }, /spans/],
      [{ sessions: [{}] }, /sessions: one of them is no registry/],
      [{ sessions: [null] }, /sessions/],
      [{ show: "name" }, /show/],
      [{ tracer: {} }, /tracer\.startSpan/],
      [{ tracerProvider: {} }, /tracerProvider\.getTracer/],
      [{ tracer: sdk.app, tracerProvider: sdk.provider }, /not both/],
    ]
    for (const [options, message] of wrong)
      expect(() => traceSessions(options as TracingOptions)).toThrow(message)
  })

  test("only the given registries; every one of the process, and those that come later", async () => {
    const [one, two] = [shop(), shop()]
    {
      using _ = traceSessions({ sessions: [two] })
      await Promise.all([one.run("a", () => 1), two.run("a", () => 1)])
    }
    const some = new Set(sdk.spans.map((span) => span.attributes["sojourn.registry"]))
    expect([...some]).toEqual([two.name])
    sdk.memory.reset()
    using _ = traceSessions({ tracerProvider: sdk.provider })
    const three = shop()
    await Promise.all([one, two, three].map((each) => each.run("b", () => 1)))
    const all = new Set(sdk.spans.map((span) => span.attributes["sojourn.registry"]))
    expect(all).toEqual(new Set([one.name, two.name, three.name]))
    await Promise.all([one, two, three].map((each) => each.drain()))
  })

  test("disposed: what is under way ends its span, nothing begins one, and it can be traced anew", async () => {
    const sessions = shop()
    const first = traceSessions()
    const held = Promise.withResolvers<void>()
    const running = sessions.run("a", () => held.promise, { name: "before" })
    // Opened at once, it runs by now. Traced already: each has one tracer.
    traceSessions()[Symbol.dispose]()
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    const after = sessions.run("a", () => current(), { name: "after" })
    held.resolve()
    await running
    expect(await after).toBeUndefined()
    expect(sdk.tree).toEqual([`open ${sessions.name}`, `before ${sessions.name}`])
    const second = traceSessions({ tracer: sdk.app })
    await sessions.run("a", () => 1, { name: "again" })
    expect(sdk.tree.at(-1)).toBe(`again ${sessions.name}`)
    await sessions.drain()
    second[Symbol.dispose]()
    const { length } = sdk.spans
    await expect(sessions.run("a", () => 1)).rejects.toMatchObject({ reason: "Draining" })
    expect(sdk.spans.length).toBe(length)
  })

  test("`show` says whose session it is; what it throws shows nothing", async () => {
    const sessions = shop()
    {
      using _ = traceSessions({ show: ({ id, owner }) => `${owner}'s ${id}\u202e ${"x".repeat(10_000)}` })
      await sessions.run({ owner: "alice", id: "basket" }, () => 1)
    }
    const shown = sdk.spans.map((span) => String(span.attributes["sojourn.session.shown"]))
    expect(shown.map((text) => [text.length, text.slice(0, 16)])).toEqual([
      [256, "alice's basket? "],
      [256, "alice's basket? "],
    ])
    sdk.memory.reset()
    {
      // Cut in the middle of a character.
      using _ = traceSessions({ show: ({ id }) => `${id}${"x".repeat(254)}\u{1f600}` })
      await sessions.run("b", () => 1)
      await expect(sessions.run("", () => 1)).rejects.toMatchObject({ reason: "InvalidKey" })
    }
    const cut = `b${"x".repeat(254)}\ufffd`
    expect(sdk.spans.map((span) => span.attributes["sojourn.session.shown"])).toEqual([cut, cut, undefined])
    sdk.memory.reset()
    using _ = traceSessions({
      show: () => {
        throw new Error("cannot")
      },
    })
    expect(await sessions.run("a", () => 1)).toBe(1)
    expect(sdk.spans.map((span) => "sojourn.session.shown" in span.attributes)).toEqual([false, false])
    await sessions.drain()
  })
})

describe("L16: the SDK's business", () => {
  test("what is not sampled is not recorded, and what runs in it neither", async () => {
    await sdk[Symbol.asyncDispose]()
    sdk = new Sdk(undefined, { sampler: new AlwaysOffSampler() })
    const sessions = shop(() => instrumented("connect"))
    using _ = traceSessions()
    expect(await sessions.run("a", () => (instrumented("query"), trace.getActiveSpan()?.isRecording()))).toBe(
      false,
    )
    await sessions.drain()
    expect(sdk.spans).toEqual([])
  })

  test("an exporter that throws, and a processor that calls back in, are survived", async () => {
    await sdk[Symbol.asyncDispose]()
    let calls = 0
    const broken: SpanProcessor = {
      onStart: () => {
        calls++
        if (calls < 50) void sessions.cancel("a")
        throw new Error("The processor is broken.")
      },
      onEnd: () => {
        throw new Error("The processor is broken.")
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    }
    sdk = new Sdk(undefined, { processor: broken })
    const sessions = shop()
    using _ = traceSessions()
    expect(await sessions.run("b", () => 1)).toBe(1)
    expect(await sessions.run("b", () => 2)).toBe(2)
    expect(calls).toBeGreaterThan(0)
    expect(inspectionOf(sessions)?.totals.listenerErrors).toBeGreaterThan(0)
    expect(inspectionOf(sessions)?.totals.defects).toBe(0)
    await sessions.drain()
  })

  test("without an SDK nothing is made, and nothing breaks", async () => {
    await sdk[Symbol.asyncDispose]()
    const sessions = shop()
    using _ = traceSessions()
    expect(await sessions.run("a", () => 1)).toBe(1)
    // Registered later, it is used from then on.
    sdk = new Sdk()
    expect(await sessions.run("a", () => current(), { name: "turn" })).toBe(`turn ${sessions.name}`)
    await sessions.drain()
  })
})
