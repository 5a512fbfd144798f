/** The end of a process that serves; what signals do to any program is told in core's own tests. */
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test, vi } from "vitest"
import { readiness } from "../src/index.ts"
import { port, said, start } from "./programs/start.ts"
import { allOf, connection, counters, events, listen, soon } from "./support.ts"
import { versions } from "./versions.ts"

// Each starts a process; on a busy machine that alone may take seconds.
vi.setConfig({ testTimeout: 30_000 })

// Signals that a program can handle are a POSIX matter: on Windows `kill` ends the process at once.
describe.skipIf(process.platform === "win32").each(versions)(
  "$name: a process that is told to end",
  ({ name }) => {
    const serve = async (env: Readonly<Record<string, string>> = {}) => {
      const program = start("serve", [name], env)
      return { program, url: `http://127.0.0.1:${await program.line(port)}` }
    }

    test("L14: readiness is red from the first signal on, what runs is finished, and the process exits 0", async () => {
      const { program, url } = await serve()
      const ready = await fetch(`${url}/ready`)
      expect([ready.status, await ready.json()]).toEqual([200, { status: "ready" }])
      expect(ready.headers.get("cache-control")).toBe("no-store")
      // Behind a turn on its connection: a probe that comes through however slow this machine is.
      const probe = await connection(url)
      const answer = (async () => {
        let text = ""
        for await (const chunk of probe.setEncoding("utf8")) text += chunk
        return text
      })()
      probe.write("GET /turn/1/1000 HTTP/1.1\r\nhost: x\r\n\r\n")
      await program.line(said("started"))
      program.signal("SIGTERM")
      await program.line(said("draining"))
      probe.write("GET /ready HTTP/1.1\r\nhost: x\r\n\r\n")
      // From outside, as a load balancer asks: never ready again, until nobody is there to say so.
      const answers: Array<number> = []
      for (let up = true; up; await sleep(20)) {
        try {
          answers.push((await fetch(`${url}/ready`)).status)
        } catch {
          up = false
        }
      }
      expect(answers.filter((status) => status !== 503)).toEqual([])
      const text = await answer
      expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(["200", "503"])
      expect(text).toContain("finished")
      expect(text).toContain('{"status":"draining"}')
      expect(await program.exit).toEqual({ code: 0, signal: null, stderr: "" })
      expect(program.lines).toContainEqual({ finished: 1, cut: 0 })
      expect(program.lines).toContainEqual({ closed: "Drained" })
    })

    test("L14: streams are told; one ends its own way, the other at once, both in order", async () => {
      const { program, url } = await serve()
      const finish = events(await fetch(`${url}/events/1/finish`))
      const end = events(await fetch(`${url}/events/2/end`))
      for (const stream of [finish, end])
        expect((await stream.next()).value).toMatchObject({ data: '"begun"' })
      program.signal("SIGTERM")
      const [finished, ended] = await soon(Promise.all([allOf(finish), allOf(end)]), "the streams' ends")
      expect(finished).toContainEqual(expect.objectContaining({ data: '"ended"' }))
      expect(ended).toEqual([])
      expect((await program.exit).code).toBe(0)
    })

    test("L14: a second signal means now: the client is told 503, the process exits 1", async () => {
      const { program, url } = await serve({ FINISH_WITHIN: "60000" })
      const answer = fetch(`${url}/turn/1/60000`)
      await program.line(said("started"))
      program.signal("SIGTERM")
      await program.line(said("draining"))
      await sleep(150)
      program.signal("SIGTERM")
      const response = await soon(answer, "the answer")
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ error: { tag: "TaskStopped", reason: "Drained" } })
      expect(await program.exit).toMatchObject({ code: 1, signal: null })
      expect(program.lines).toContainEqual({ finished: 0, cut: 1 })
    })
  },
)

describe.each(versions)("$name: readiness", ({ express }) => {
  test("L14: it is red while any registry drains, or one of those it was given, also after that", async () => {
    const [one, other] = [counters(), counters()]
    const app = express()
      .get("/any", readiness())
      .use("/mounted", express.Router().get("/one", readiness({ sessions: [one.sessions] })))
      .get("/other", readiness({ sessions: [other.sessions] }))
    const url = await listen(app)
    const ask = async () =>
      Promise.all(
        ["/any", "/mounted/one", "/other"].map(async (path) => {
          const response = await fetch(url + path)
          return [response.status, ((await response.json()) as { status: string }).status]
        }),
      )
    const [ready, draining] = [
      [200, "ready"],
      [503, "draining"],
    ]
    expect(await ask()).toEqual([ready, ready, ready])
    const go = Promise.withResolvers<void>()
    const held = one.sessions.run("a", () => go.promise)
    const drained = one.sessions.drain()
    expect(await ask()).toEqual([draining, draining, ready])
    go.resolve()
    await held
    await drained
    expect((await ask())[1]).toEqual(draining)
  })

  test("HEAD is answered as GET is, without the body", async () => {
    const { sessions } = counters()
    const url = await listen(express().get("/", readiness({ sessions: [sessions] })))
    const ask = async () => {
      const response = await fetch(url, { method: "HEAD" })
      return [response.status, await response.text()]
    }
    expect(await ask()).toEqual([200, ""])
    await sessions.drain()
    expect(await ask()).toEqual([503, ""])
  })
})

test.for<readonly [string, object]>([
  ["a misspelt option", { registries: [] }],
  ["what is no list", { sessions: {} }],
])("L17: %s is an InvalidOption", ([, options]) => {
  expect(() => readiness(options)).toThrow(
    expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" }),
  )
})
