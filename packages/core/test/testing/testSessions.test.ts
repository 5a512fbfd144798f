/** The kit itself: virtual time over a real registry, and what happens in real time meanwhile. */
import { once } from "node:events"
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, expectTypeOf, test } from "vitest"
import { createSessions } from "../../src/face/createSessions.ts"
import { SessionMisuse, SessionRefused, TaskStopped } from "../../src/errors.ts"
import type { Opening, Sessions, Task } from "../../src/Sessions.ts"
import { testSessions } from "../../src/testing/testSessions.ts"
import { collect } from "../support/collect.ts"
import { gate } from "../support/ledger.ts"
import { failureOf } from "./failureOf.ts"

interface Box {
  readonly key: string
  readonly values: Array<number>
}
const definition = {
  name: "box",
  open: ({ key, onClose }: Opening): Box => {
    onClose(() => {})
    return { key, values: [] }
  },
  handlers: {
    put: (box: Box, value: number) => box.values.push(value),
    wait: (_: Box, { promise }: { promise: Promise<string> }) => promise,
  },
  streams: {
    async *all(box: Box) {
      for (const value of box.values) yield value
    },
  },
}

describe("virtual time", () => {
  test("L8: an unused session is closed, and not a moment sooner", async () => {
    await using kit = testSessions(definition)
    await kit.sessions.call("alice").put(1)
    await kit.advance("15 minutes")
    expect(kit.log).toEqual(["alice#1 opened", "alice#1 closed: Idle"])
    await kit.sessions.call("alice").put(1)
    await kit.advance(15 * 60_000 - 1)
    expect(kit.log).toHaveLength(3)
    await kit.advance(1)
    expect(kit.log.slice(2)).toEqual(["alice#1 opened", "alice#1 closed: Idle"])
  })

  test("L8: a session in use is not closed, however long that takes", async () => {
    await using kit = testSessions({ ...definition, timeouts: { silence: "Infinity" } })
    const busy = gate<string>()
    const run = kit.sessions.run("alice", () => busy.promise)
    await kit.advance("1 hour")
    expect(kit.log).toEqual(["alice#1 opened"])
    busy.open("done")
    expect(await run).toBe("done")
    await kit.advance("15 minutes")
    expect(kit.log).toEqual(["alice#1 opened", "alice#1 closed: Idle"])
  })

  test("L13: every deadline of the engine follows it: silence, grace, and what comes of them", async () => {
    await using kit = testSessions({ ...definition, timeouts: { silence: "1 minute", grace: "2 seconds" } })
    const busy = gate<string>()
    const told = failureOf(kit.sessions.call("alice").wait(busy))
    await kit.advance("62 seconds")
    expect(await told).toMatchObject({ reason: "Silent", abandoned: true })
    busy.open("late")
    await kit.advance(0)
    expect(kit.events.some((event) => event._tag === "TaskEnded" && event.outcome === "timedOut")).toBe(true)
  })

  test("every event is there, stamped in virtual time from the epoch on", async () => {
    await using kit = testSessions(definition)
    await kit.advance("1 hour")
    await kit.sessions.call("alice").put(1)
    expect(kit.events.map(({ _tag, at, seq }) => `${seq} ${_tag} ${at}`)).toEqual([
      "1 TaskQueued 3600000",
      "2 Opening 3600000",
      "3 Opened 3600000",
      "4 TaskStarted 3600000",
      "5 TaskEnded 3600000",
    ])
  })

  test("L23: several at once add up, and time never goes back", async () => {
    await using kit = testSessions(definition)
    await Promise.all([kit.advance("10 minutes"), kit.advance("1 minute"), kit.advance("1 second")])
    await kit.sessions.call("alice").put(1)
    expect(kit.events[0]?.at).toBe(661_000)
  })

  test("only a finite time that is one passes", async () => {
    await using kit = testSessions(definition)
    await expect(kit.advance("Infinity")).rejects.toThrow(SessionMisuse)
    await expect(kit.advance(-1)).rejects.toThrow("at least 0 ms")
    await expect(kit.advance("5 minuts" as never)).rejects.toThrow("5 minuts")
  })
})

describe("real time meanwhile", () => {
  /** A server of its own for each session, released slowly: real I/O on both ends. */
  const open = async ({ use }: Opening): Promise<Server> => {
    const server = createServer((socket) => setTimeout(() => socket.end("bye"), 30))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    return use(server, async () => {
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").resume()
      await once(socket, "close")
      server.close()
      await once(server, "close")
    })
  }

  test("L4: a release that takes its time is over when `advance` resolves, before its virtual deadline", async () => {
    await using kit = testSessions({ name: "server", open })
    await kit.sessions.run("alice", () => {})
    await kit.advance("1 hour")
    expect(kit.log).toEqual(["alice#1 opened", "alice#1 closed: Idle"])
  })

  test("L4: however slow it is, as long as something is open that can move it", async () => {
    await using kit = testSessions({
      name: "slow",
      open: ({ onClose }: Opening) => {
        onClose(() => pause(400))
        return {}
      },
    })
    await kit.sessions.run("alice", () => {})
    await kit.advance("1 hour")
    expect(kit.log).toEqual(["alice#1 opened", "alice#1 closed: Idle"])
  })

  test("L13: so are an opening and a task that began before it, and neither is declared hung", async () => {
    await using kit = testSessions({ name: "server", open, timeouts: { open: 10, silence: 10 } })
    const answer = kit.sessions.run("alice", async (server) => {
      const socket: Socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
      const [data] = (await once(socket, "data")) as [Buffer]
      return String(data)
    })
    await kit.advance("1 minute")
    expect(await answer).toBe("bye")
  })

  test("a store, a save, a probe and an element of a stream are waited for too", async () => {
    const saved = new Map<string, unknown>()
    class SlowStore {
      #versions = 0
      async load(key: string) {
        await pause(5)
        return saved.has(key) ? { state: saved.get(key), version: "1" } : undefined
      }
      async save(key: string, state: unknown) {
        await pause(5)
        saved.set(key, state)
        return String(++this.#versions)
      }
      async remove(key: string) {
        await pause(5)
        saved.delete(key)
      }
    }
    const probed: Array<string> = []
    await using kit = testSessions({
      name: "slow",
      open: ({ probe, save }) => {
        save(async () => {
          await pause(5)
          return "state"
        })
        probe(
          async ({ why }) => {
            await pause(5)
            probed.push(why)
          },
          { every: "1 minute" },
        )
        return {}
      },
      store: new SlowStore(),
      idleTimeout: "90 seconds",
    })
    const run = kit.sessions.run("alice", () => "ran")
    await kit.advance("1 second")
    expect(kit.log).toEqual(["alice#1 opened"])
    expect(await run).toBe("ran")
    await kit.advance("1 minute")
    expect(probed).toEqual(["Interval"])
    await kit.advance("1 hour")
    expect([...saved]).toEqual([["alice", "state"]])
    const stream = kit.sessions.stream("alice", async function* () {
      yield await pause(30, "element")
    })
    const elements: Array<string> = []
    const read = (async () => {
      for await (const element of stream) elements.push(element)
    })()
    await kit.advance("1 second")
    expect(elements).toEqual(["element"])
    await read
  })

  test("what waits for the test is given up soon, and once: time goes on", async () => {
    await using kit = testSessions({ ...definition, timeouts: { silence: "Infinity" } })
    const busy = gate<string>()
    const run = kit.sessions.call("alice").wait(busy)
    const began = performance.now()
    for (let minute = 0; minute < 50; minute++) await kit.advance("1 minute")
    // One tenth of a second, where fifty would be five.
    expect(performance.now() - began).toBeLessThan(2500)
    busy.open("done")
    expect(await run).toBe("done")
  })
})

test("what goes on after it was given up is waited for again", async () => {
  await using kit = testSessions(definition)
  const busy = gate()
  let ended = false
  const run = kit.sessions.run("alice", async () => {
    await busy.promise
    await pause(50)
    ended = true
  })
  await kit.advance("1 second")
  busy.open()
  await kit.advance("1 second")
  expect(ended).toBe(true)
  await run
})

describe("sessions", () => {
  test("are those of `createSessions`: types, names, results, errors", async () => {
    await using kit = testSessions(definition)
    expectTypeOf(kit.sessions).toEqualTypeOf<
      Sessions<Box, (typeof definition)["handlers"], (typeof definition)["streams"]>
    >()
    await kit.sessions.run("alice", function visit(box, task) {
      expectTypeOf(task).toEqualTypeOf<Task>()
      expect([task.name, task.session.key, box.key]).toEqual(["visit", "alice", "alice"])
    })
    const boom = new Error("boom")
    await expect(
      kit.sessions.run("alice", () => {
        throw boom
      }),
    ).rejects.toBe(boom)
    await expect(kit.sessions.run("alice", 5 as never)).rejects.toMatchObject({ reason: "InvalidOption" })
    await expect(kit.sessions.run("bob", () => {}, { mustExist: true })).rejects.toThrow(SessionRefused)
    expect(() => testSessions({ ...definition, open: 5 as never })).toThrow("open: a function is allowed")
    expect(() => testSessions({ ...definition, handlers: { put: 5 as never } })).toThrow("handlers.put")
    expect(() => testSessions({ ...definition, idleTimout: 5 } as never)).toThrow("idleTimout")
  })

  test("`use` without a way to release is refused as it is without the kit, when the resource arrives", async () => {
    await using kit = testSessions({
      name: "bare",
      open: ({ use }) => use(Promise.resolve({} as Disposable)),
    })
    const bare = createSessions({ name: "bare", open: ({ use }) => use(Promise.resolve({} as Disposable)) })
    const causes = await Promise.all(
      [kit.sessions, bare].map((sessions) => failureOf(sessions.run("alice", () => {}))),
    )
    expect(causes[0]).toMatchObject({ _tag: "SessionOpenFailed", cause: expect.any(TypeError) })
    expect(String((causes[0] as Error).cause)).toBe(String((causes[1] as Error).cause))
    await bare.drain()
  })

  test("handles, leases, streams, calls and background work go through the kit too", async () => {
    await using kit = testSessions(definition)
    const alice = kit.sessions.at("alice", { name: "visit" })
    expect(await alice.run((_, task) => task.name)).toBe("visit")
    expect(await alice.call.put(7)).toBe(1)
    const lease = await kit.sessions.lease("alice")
    expect([lease.session.generation, await lease.run((box) => box.values.length)]).toEqual([1, 1])
    expect(await collect(lease.stream((box) => Promise.resolve(values(box))))).toEqual([7])
    expect(await collect(kit.sessions.call("alice").all())).toEqual([7])
    await using other = await kit.sessions.lease("bob")
    expect(other.signal.aborted).toBe(false)
    kit.fail("task", { times: 4, error: "no" })
    const gone = [
      alice.run(() => {}),
      lease.run(() => {}),
      alice.call.put(1),
      collect(alice.stream((box) => values(box))),
    ]
    expect((await Promise.allSettled(gone)).map((one) => one.status === "rejected" && one.reason)).toEqual(
      Array.from({ length: 4 }, () => "no"),
    )
    const busy = gate()
    expect(await lease.run((_, { background }) => background("poll", () => busy.promise))).toBe(true)
    await lease.release()
    await kit.advance("4 minutes")
    expect(kit.log).not.toContain("alice#1 closed: Idle")
    busy.open()
    await kit.advance("1 hour")
    expect(kit.log).toContain("alice#1 closed: Idle")
  })

  test("a query that does its work when it is awaited does it once", async () => {
    await using kit = testSessions(definition)
    let asked = 0
    const lazy = {
      // What a query builder gives: running is what `then` does.
      then: (resolve: (rows: number) => void) => resolve(++asked),
    } as PromiseLike<number>
    expect(await kit.sessions.run("alice", () => lazy)).toBe(1)
    expect(asked).toBe(1)
  })

  test("L5: breaking off a stream ends the generator behind it", async () => {
    await using kit = testSessions(definition)
    let ended = false
    const stream = kit.sessions.stream("alice", async function* () {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        ended = true
      }
    })
    for await (const n of stream) if (n === 3) break
    await kit.advance(0)
    expect(ended).toBe(true)
  })
})
async function* values(box: Box): AsyncGenerator<number> {
  yield* box.values
}

describe("evict", () => {
  test("L9: closes an idle session as if its seat were needed, and says so when there is none", async () => {
    await using kit = testSessions(definition)
    await kit.sessions.call("alice").put(1)
    await kit.evict("alice")
    expect(kit.log).toEqual(["alice#1 opened", "alice#1 closed: Evicted"])
    await expect(kit.evict("alice")).rejects.toThrow("alice is Closed. Only an idle session is ever evicted.")
    const busy = gate<string>()
    const run = kit.sessions.call("alice").wait(busy)
    await kit.advance(0)
    await expect(kit.evict("alice")).rejects.toThrow("alice is in use")
    busy.open("done")
    await run
  })

  test("L9: so does the registry itself, one for one", async () => {
    await using kit = testSessions({ ...definition, maxSessions: 1 })
    await kit.sessions.call({ owner: "u", id: "1" }).put(1)
    await kit.sessions.call({ owner: "u", id: "2" }).put(1)
    expect(kit.log).toEqual(["u~1#1 opened", "u~1#1 closed: Evicted", "u~2#1 opened"])
  })
})

describe("log", () => {
  test("L10, L11: a failed open, a loss, a quarantine and a leak have lines of their own", async () => {
    await using kit = testSessions({ ...definition, restart: { times: 0, quarantine: "1 minute" } })
    kit.fail("open", { key: "alice", error: new Error("no database") })
    await expect(kit.sessions.call("alice").put(1)).rejects.toMatchObject({
      cause: { message: "no database" },
    })
    await kit.sessions.run("bob", (_, { broken }) => broken("crashed"))
    kit.hang("close", { key: "carol" })
    await kit.sessions.call("carol").put(1)
    const closed = kit.sessions.close("carol")
    await kit.advance("1 minute")
    expect((await closed)?.leaked).toBe(true)
    expect(kit.log).toEqual([
      "alice#1 failed to open: no database",
      "alice#1 closed: OpenFailed",
      "bob#1 opened",
      "bob#1 lost: crashed",
      "bob#1 closed: RestartLimit",
      "bob quarantined",
      "carol#1 opened",
      "carol#1 closed: Requested, leaked",
    ])
  })
})

test("L5: a task that is stopped says so as it does without the kit", async () => {
  await using kit = testSessions(definition)
  const busy = gate()
  const run = kit.sessions.run("alice", (_, { signal }) => {
    signal.addEventListener("abort", () => busy.open())
    return busy.promise.then(() => signal.throwIfAborted())
  })
  const told = failureOf(run)
  await kit.advance(0)
  expect(await kit.sessions.cancel("alice")).toBe(1)
  expect(await told).toBeInstanceOf(TaskStopped)
})
