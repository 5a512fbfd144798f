/** What a test leaves behind, and that the end of the kit says so. */
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createServer, type Server } from "node:net"
import { afterEach, describe, expect, test } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import { testSessions } from "../../src/testing/testSessions.ts"
import { gate } from "../support/ledger.ts"
import { failureOf } from "./failureOf.ts"

/** What the end of a kit complains about, places without their folder and line. */
const problemsOf = async (kit: AsyncDisposable): Promise<ReadonlyArray<string>> => {
  try {
    await kit[Symbol.asyncDispose]()
    return []
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error
    const messages = error.errors.map((one: Error) => one.message)
    for (const message of messages) expect(error.message).toContain(`\n  - ${message}`)
    return messages.map((message) => message.replaceAll(/\S*\/(\w+\.test\.ts):\d+:\d+/g, "$1"))
  }
}

/** Ends what a test has left on purpose. */
const after: Array<() => unknown> = []
afterEach(async () => {
  for (const end of after.splice(0)) await end()
})

describe("L4: still held at the end", () => {
  test("a timer that the opening started and nobody cleared", async () => {
    const kit = testSessions({
      name: "poller",
      open: () => {
        const timer = setInterval(() => {}, 1000)
        after.push(() => clearInterval(timer))
        return { timer }
      },
    })
    await kit.sessions.run("alice", () => {})
    expect(await problemsOf(kit)).toEqual(["a timer of alice#1 is still there, made at held.test.ts"])
  })

  test("a server of one generation and none of another", async () => {
    const kit = testSessions({
      name: "server",
      open: async ({ key, onClose }: Opening): Promise<Server> => {
        const server = createServer()
        server.listen(0, "127.0.0.1")
        await once(server, "listening")
        if (key === "alice") onClose(() => server.close())
        else after.push(() => server.close())
        return server
      },
    })
    await kit.sessions.run("alice", () => {})
    await kit.sessions.run("bob", () => {})
    expect(await problemsOf(kit)).toEqual(["a server of bob#1 is still there, made at held.test.ts"])
  })

  test("a child process that a task started", async () => {
    const kit = testSessions({ name: "shell", open: () => ({}) })
    const child = await kit.sessions.run("alice", async (): Promise<ChildProcess> => {
      const started = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"])
      await once(started, "spawn")
      return started
    })
    after.push(async () => {
      child.kill("SIGKILL")
      await once(child, "close")
    })
    expect(await problemsOf(kit)).toEqual(["a child process of alice#1 is still there, made at held.test.ts"])
  })

  test("a release that does not end, and a resource that never arrives", async () => {
    const kit = testSessions({
      name: "slow",
      open: ({ use }: Opening) => {
        void use(new Promise<Disposable>(() => {}))
        return use({}, () => new Promise(() => {}))
      },
    })
    await kit.sessions.run("alice", () => {})
    expect((await problemsOf(kit)).toSorted()).toEqual([
      "the release given at held.test.ts has not ended",
      "what was given to use at held.test.ts has not ended",
    ])
    expect(kit.log).toEqual(["alice#1 opened", "alice#1 closed: Drained, leaked"])
  })

  test("L14: what only goes on when a hang is let go still gets its virtual time", async () => {
    const never = "Infinity"
    const kit = testSessions({
      name: "stuck",
      open: ({ onClose }: Opening) => onClose(() => new Promise(() => {})),
      timeouts: { silence: never, grace: never },
    })
    kit.hang("task")
    const told = failureOf(kit.sessions.run("alice", () => {}))
    expect(await problemsOf(kit)).toEqual(["the release given at held.test.ts has not ended"])
    expect(kit.log).toEqual(["alice#1 opened", "alice#1 closed: Drained, leaked"])
    expect(await told).toMatchObject({ reason: "Drained" })
  })

  test("L13: an opening and a task that never end", async () => {
    const kit = testSessions({
      name: "stuck",
      open: ({ key }: Opening) => (key === "alice" ? {} : new Promise<object>(() => {})),
    })
    const refused = Promise.allSettled([
      kit.sessions.run("alice", () => new Promise(() => {}), { name: "query" }),
      kit.sessions.run("bob", () => {}),
    ])
    expect((await problemsOf(kit)).toSorted()).toEqual([
      "the open of bob#1 has not ended",
      'the task "query" of alice#1 has not ended',
    ])
    await refused
  })
})

describe("nothing is held", () => {
  test("L4: by an opening that failed half-way, a task that was cut, or a late resource", async () => {
    const kit = testSessions({
      name: "server",
      open: async ({ generation, onClose, use }: Opening) => {
        const server = createServer()
        onClose(() => server.close())
        server.listen(0, "127.0.0.1")
        await once(server, "listening")
        if (generation === 1) throw new Error("half-way")
        return use(server)
      },
    })
    await expect(kit.sessions.run("alice", () => {})).rejects.toThrow("could not be opened")
    await kit.advance("1 second")
    const cut = kit.sessions.run("alice", (_, { signal }) => once(signal, "abort").then(() => "cut"))
    await kit.advance(0)
    expect(await problemsOf(kit)).toEqual([])
    expect(await cut).toBe("cut")
  })

  test("L4: by a resource that arrives when nobody waits for it any more", async () => {
    const late = gate<Disposable>()
    let released = 0
    const kit = testSessions({ name: "late", open: ({ use }: Opening) => use(late.promise) })
    const left = new AbortController()
    const run = kit.sessions.run("alice", () => {}, { signal: left.signal })
    const told = failureOf(run)
    left.abort(new Error("left"))
    expect(await told).toMatchObject({ message: "left" })
    late.open({ [Symbol.dispose]: () => void released++ })
    expect(await problemsOf(kit)).toEqual([])
    expect([released, kit.log]).toEqual([1, ["alice#1 closed: OpenCancelled"]])
  })

  test("by a kit that was never used, nor by one that is disposed twice, in turn or at once", async () => {
    const unused = testSessions({ name: "box", open: () => ({}) })
    expect(await problemsOf(unused)).toEqual([])
    const kit = testSessions({ name: "box", open: () => ({}) })
    kit.fail("open")
    const [first, second] = await Promise.all([problemsOf(kit), problemsOf(kit)])
    expect(first).toHaveLength(1)
    expect(second).toEqual(first)
    await expect(kit.sessions.run("alice", () => {})).rejects.toMatchObject({ reason: "Draining" })
  })

  test("by what the test itself has open, or another kit", async () => {
    const timer = setInterval(() => {}, 1000)
    after.push(() => clearInterval(timer))
    const kit = testSessions({ name: "box", open: () => ({}) })
    const other = testSessions({ name: "box", open: () => ({ timer: setInterval(() => {}, 1000) }) })
    await kit.sessions.run("alice", () => {})
    await other.sessions.run("bob", (box) => after.push(() => clearInterval(box.timer)))
    expect(await problemsOf(kit)).toEqual([])
    expect(await problemsOf(other)).toHaveLength(1)
  })
})

test("L7: a kit cannot be disposed in a turn of its own, and can afterwards", async () => {
  const kit = testSessions({ name: "box", open: () => ({}) })
  await expect(kit.sessions.run("alice", () => kit[Symbol.asyncDispose]())).rejects.toMatchObject({
    reason: "ReentrantClose",
  })
  await kit[Symbol.asyncDispose]()
  expect(kit.sessions.snapshot().phase).toBe("drained")
})

test("a kit that is not disposed keeps no process alive", async () => {
  const program = `
    import { testSessions } from ${JSON.stringify(new URL("../../src/testing.ts", import.meta.url).href)}
    const kit = testSessions({ name: "box", open: () => ({}) })
    await kit.sessions.run("alice", () => {})
    console.log("ran")`
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program])
  let output = ""
  child.stdout.on("data", (text) => (output += String(text)))
  child.stderr.on("data", (text) => (output += String(text)))
  const [code] = (await once(child, "close")) as [number]
  expect([code, output]).toEqual([0, "ran\n"])
})
