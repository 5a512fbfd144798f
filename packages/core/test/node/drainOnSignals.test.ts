import { request as httpRequest, Agent } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test, vi } from "vitest"
import { drainOnSignals, type DrainOnSignals } from "../../src/node.ts"
import { port, said, start } from "./start.ts"

// Each starts a process; on a busy machine that alone may take seconds.
vi.setConfig({ testTimeout: 30_000 })

// Signals that a program can handle are a POSIX matter: on Windows `kill` ends the process at once.
describe.skipIf(process.platform === "win32")("drainOnSignals", () => {
  test.for(["SIGTERM", "SIGINT"] as const)(
    "L14: %s drains every registry of the process and exits 0",
    async (signal) => {
      const program = start("idle")
      await program.line(said("ready"))
      program.signal(signal)
      expect(await program.exit).toEqual({ code: 0, signal: null, stderr: "" })
      const closed = program.lines.filter(
        (line) => typeof line === "object" && line !== null && "closed" in line,
      )
      expect(closed).toEqual([{ closed: "books/a" }, { closed: "other/b" }, { closed: 2 }])
    },
  )

  test("L14: registries drain in parallel, also one made after the handlers", async () => {
    const program = start("late")
    await program.line(said("ready"))
    program.signal("SIGTERM")
    expect((await program.exit).code).toBe(0)
    expect(program.lines).toContainEqual({ registries: 3 })
    expect(program.lines).toContainEqual({ closed: "late/a" })

    const slow = start("idle", { CLOSE_TAKES: "100" })
    await slow.line(said("ready"))
    slow.signal("SIGTERM")
    expect((await slow.exit).code).toBe(0)
    expect(slow.lines.slice(1, 3)).toEqual([{ closing: "books/a" }, { closing: "other/b" }])
  })

  test("L14: the server stops accepting, a running turn finishes and its answer arrives", async () => {
    const program = start("serve")
    const url = `http://127.0.0.1:${await program.line(port)}`
    const answer = fetch(`${url}/turn?ms=1500`)
    await program.line(said("started"))
    program.signal("SIGTERM")
    await program.line(said("draining"))
    // What was on its way is answered, with a refusal; then nobody gets in.
    expect((await fetch(`${url}/turn?ms=1`)).status).toBe(503)
    await sleep(600)
    await expect(fetch(`${url}/turn?ms=1`)).rejects.toThrow("fetch failed")
    expect(await (await answer).text()).toBe("finished")
    expect(await program.exit).toEqual({ code: 0, signal: null, stderr: "" })
    expect(program.lines).toContainEqual({ finished: 1, cut: 0 })
  })

  test("an idle keep-alive connection is closed at once, one that hangs after the drain", async () => {
    const program = start("serve")
    const number = await program.line(port)
    const agent = new Agent({ keepAlive: true })
    const get = (path: string) =>
      new Promise<() => Promise<void>>((resolve, reject) => {
        httpRequest({ host: "127.0.0.1", port: number, path, agent }, (response) => {
          const closed = new Promise<void>((close) => response.socket.once("close", () => close()))
          response.once("error", () => {}).resume()
          if (path === "/hang") resolve(() => closed)
          else response.once("end", () => resolve(() => closed))
        })
          .on("error", reject)
          .end()
      })
    const idle = await get("/turn?ms=1")
    const hanging = await get("/hang")
    // Both are requests over one connection unless the first is kept busy; make sure that there is an idle one.
    const idleToo = await get("/turn?ms=1")
    program.signal("SIGTERM")
    await Promise.all([idle(), hanging(), idleToo()])
    const { code, signal } = await program.exit
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    agent.destroy()
  })

  test("L14: what is not done within finishWithin is cut, and the exit code says so", async () => {
    const program = start("serve", { FINISH_WITHIN: "100" })
    const answer = fetch(`http://127.0.0.1:${await program.line(port)}/turn?ms=60000`)
    await program.line(said("started"))
    program.signal("SIGTERM")
    expect(await (await answer).text()).toBe("Drained")
    expect(await program.exit).toEqual({
      code: 1,
      signal: null,
      stderr: "sojourn: drained; tasks cut: 1, sessions leaked: 0\n",
    })
  })

  test("L14: a second signal means now", async () => {
    const program = start("serve", { FINISH_WITHIN: "60000" })
    const answer = fetch(`http://127.0.0.1:${await program.line(port)}/turn?ms=60000`)
    await program.line(said("started"))
    const began = performance.now()
    program.signal("SIGINT")
    await program.line(said("draining"))
    await sleep(150)
    program.signal("SIGINT")
    expect((await answer).status).toBe(503)
    expect((await program.exit).code).toBe(1)
    expect(performance.now() - began).toBeLessThan(20_000)
  })

  test("a signal that a wrapper passes on as well counts once", async () => {
    const program = start("serve", { FINISH_WITHIN: "60000" })
    const answer = fetch(`http://127.0.0.1:${await program.line(port)}/turn?ms=1000`)
    await program.line(said("started"))
    program.signal("SIGINT")
    program.signal("SIGTERM")
    expect(await (await answer).text()).toBe("finished")
    expect((await program.exit).code).toBe(0)
  })

  test("L13, L14: a turn that hears nothing is abandoned, and the process ends", async () => {
    const program = start("serve", { FINISH_WITHIN: "50", CLOSE_WITHIN: "300" })
    const answer = fetch(`http://127.0.0.1:${await program.line(port)}/deaf?ms=60000`)
    await program.line(said("started"))
    program.signal("SIGTERM")
    await Promise.allSettled([answer])
    const { code, stderr } = await program.exit
    expect(code).toBe(1)
    expect(stderr).toContain("tasks cut: 1")
  })

  test("L4: a session that does not close in time is reported as leaked, exit 1", async () => {
    const program = start("idle", { CLOSE_TAKES: "60000", CLOSE_WITHIN: "300" })
    await program.line(said("ready"))
    program.signal("SIGTERM")
    expect(await program.exit).toEqual({
      code: 1,
      signal: null,
      stderr: "sojourn: drained; tasks cut: 0, sessions leaked: 2\n",
    })
  })

  test("a registry that cannot be drained hangs nothing: the others drain, exit 1, one line for each", async () => {
    const program = start("failing")
    await program.line(said("ready"))
    program.signal("SIGTERM")
    expect(await program.exit).toEqual({
      code: 1,
      signal: null,
      stderr:
        'sojourn: "rejects" could not be drained: no luck\nsojourn: "throws" could not be drained: no luck at once\n',
    })
    expect(program.lines).toEqual(["ready", { closing: "books/a" }, { closed: "books/a" }, { reports: 1 }])
  })

  test("an onDrained that throws is told, exit 1", async () => {
    const program = start("onDrainedThrows")
    await program.line(said("ready"))
    program.signal("SIGTERM")
    expect(await program.exit).toEqual({
      code: 1,
      signal: null,
      stderr: "sojourn: onDrained failed: log is full\n",
    })
  })

  test("a third signal exits at once, whatever the drain does", async () => {
    const program = start("stuck")
    await program.line(said("ready"))
    for (const asked of [1, 2]) {
      program.signal("SIGTERM")
      await program.line(said({ asked }))
      await sleep(150)
    }
    program.signal("SIGTERM")
    const { code, stderr } = await program.exit
    expect(code).toBe(1)
    expect(stderr).toContain("third signal")
  })

  test("disposing removes the handlers", async () => {
    const program = start("disposed")
    await program.line(said("ready"))
    program.signal("SIGTERM")
    expect(await program.exit).toEqual({ code: null, signal: "SIGTERM", stderr: "" })
  })
})

test.for<readonly [string, unknown]>([
  ["finishWithin", { finishWithin: -1 }],
  ["finishWithin", { finishWithin: "soon" }],
  ["signals", { signals: [] }],
  ["signals", { signals: ["SIGKILL"] }],
  ["signals", { signals: ["SIGWHAT"] }],
  ["signals", { signals: "SIGTERM" }],
  ["onDrained", { onDrained: 1 }],
  ["sigs", { sigs: ["SIGTERM"] }],
])("L17: a wrong %s throws InvalidOption and installs nothing", ([name, options]) => {
  const before = process.listenerCount("SIGTERM")
  expect(() => drainOnSignals(options as DrainOnSignals)).toThrow(
    expect.objectContaining({ reason: "InvalidOption", message: expect.stringContaining(name) as string }),
  )
  expect(process.listenerCount("SIGTERM")).toBe(before)
})
