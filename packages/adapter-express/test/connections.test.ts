/** What happens to a connection, not only to one answer on it. */
import { once } from "node:events"
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http"
import { describe, expect, onTestFinished, test } from "vitest"
import { fromRequest, route, sendSse, sendStream, sessionErrors } from "../src/index.ts"
import { connection, counters, listen, next, soon } from "./support.ts"
import { versions } from "./versions.ts"

describe.each(versions)("$name", ({ express }) => {
  const serve = async () => {
    const { sessions } = counters({ maxQueued: 0 })
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const app = express()
      .get(
        "/sse",
        route((req, res) =>
          sendSse(
            res,
            counter(req, res).stream(async function* () {
              yield 1
            }),
          ),
        ),
      )
      .get(
        "/body",
        route((req, res) =>
          sendStream(
            res,
            counter(req, res).stream(async function* () {
              yield "text"
            }),
          ),
        ),
      )
      .get(
        "/run",
        route(async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns))),
      )
      .use(sessionErrors())
    return { sessions, url: await listen(app) }
  }
  /** All requests over one connection. */
  const oneConnection = (url: string) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    return async (path: string) => {
      const client: ClientRequest = httpRequest(url + path, { agent }).end()
      const [response] = (await once(client, "response")) as [IncomingMessage]
      let text = ""
      for await (const chunk of response.setEncoding("utf8")) text += chunk
      // The connection is free for the next one only after that.
      await new Promise((resolve) => setImmediate(resolve))
      return { status: response.statusCode, text, reused: client.reusedSocket, socket: client.socket }
    }
  }

  test("L9: a connection whose stream was refused is used again, and so is one whose stream has ended", async () => {
    const { sessions, url } = await serve()
    const ask = oneConnection(url)
    const go = Promise.withResolvers<void>()
    const held = sessions.run({ owner: "alice" }, () => go.promise)
    const refused = [await ask("/sse"), await ask("/body"), await ask("/sse")]
    expect(refused.map(({ status }) => status)).toEqual([429, 429, 429])
    go.resolve()
    await held
    const answers = [await ask("/sse"), await ask("/run"), await ask("/body"), await ask("/run")]
    expect(
      answers.map(({ status, text }) => [status, text.split("\n").find((line) => !line.startsWith("id:"))]),
    ).toEqual([
      [200, "data: 1"],
      [200, "1"],
      [200, "text"],
      [200, "2"],
    ])
    expect([...refused, ...answers].map(({ reused }) => reused)).toEqual([false, ...Array(6).fill(true)])
    expect(new Set([...refused, ...answers].map(({ socket }) => socket)).size).toBe(1)
  })

  test("requests sent before the answers have come are answered in their order", async () => {
    const { sessions, url } = await serve()
    const socket = await connection(url)
    const go = Promise.withResolvers<void>()
    const held = sessions.run({ owner: "alice" }, () => go.promise)
    let refused = 0
    const all = new Promise<void>((resolve) =>
      sessions.subscribe(({ _tag }) => _tag === "Refused" && ++refused === 2 && resolve()),
    )
    let text = ""
    socket.setEncoding("utf8").on("data", (chunk: string) => void (text += chunk))
    const request = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`
    socket.write(request("/sse") + request("/run"))
    await all
    go.resolve()
    await held
    socket.write(request("/body") + request("/run", "connection: close\r\n"))
    await soon(once(socket, "end"), "the end of the connection")
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      "429",
      "429",
      "200",
      "429",
    ])
    expect(text.indexOf("text")).toBeGreaterThan(0)
  })

  test("L5: streams behind others on a connection that is gone are left as well", async () => {
    const { sessions } = counters({ concurrency: 4 })
    const app = express().get(
      "/",
      route((_req, res) =>
        // Nobody knows of the request but sendSse.
        sendSse(
          res,
          sessions.stream("a", async function* () {
            for (let n = 0; ; n++) {
              await new Promise((resolve) => setImmediate(resolve))
              yield n
            }
          }),
        ),
      ),
    )
    const socket = await connection(await listen(app))
    const ended: Array<string> = []
    let started = 0
    const all = new Promise<void>((resolve) =>
      sessions.subscribe((event) => {
        if (event._tag === "TaskStarted" && ++started === 3) socket.destroy()
        if (event._tag === "TaskEnded" && ended.push(event.outcome) === 3) resolve()
      }),
    )
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3))
    await soon(all, "the streams' ends")
    expect(ended).toEqual(["cancelled", "cancelled", "cancelled"])
  })

  test("L5: a client that only ends its sending is still there", async () => {
    const { sessions } = counters()
    const counter = fromRequest(sessions, { owner: () => "alice" })
    const go = Promise.withResolvers<void>()
    const app = express().get(
      "/",
      route(
        async (req, res) => void res.json(await counter(req, res).run(() => go.promise.then(() => "here"))),
      ),
    )
    const socket = await connection(await listen(app))
    const started = next(sessions, "TaskStarted")
    socket.end("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    await started
    go.resolve()
    let text = ""
    for await (const chunk of socket.setEncoding("utf8")) text += chunk
    expect(text).toContain('"here"')
  })
})
