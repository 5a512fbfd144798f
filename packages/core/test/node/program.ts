/** A small real program for the tests beside it: `node program.ts <scenario>`. It says what happens, a JSON value a line. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { createSessions, type AnySessions } from "../../src/index.ts"
import { drainOnSignals } from "../../src/node.ts"

const say = (line: unknown): void => console.log(JSON.stringify(line))
const scenario = process.argv[2] ?? ""
const closeTakes = Number(process.env["CLOSE_TAKES"] ?? 0)
const closeWithin = Number(process.env["CLOSE_WITHIN"] ?? 15_000)

const open = (name: string) =>
  createSessions({
    name,
    open: ({ key, onClose }) => {
      onClose(async () => {
        say({ closing: `${name}/${key}` })
        await sleep(closeTakes)
        say({ closed: `${name}/${key}` })
      })
      return key
    },
    timeouts: { grace: 200, close: closeWithin },
  })
const books = open("books")
const other = open("other")

const scenarios: Record<string, () => unknown> = {
  /** No server: nothing but two warm sessions. */
  idle: async () => {
    await Promise.all([books.run("a", () => 1), other.run("b", () => 1)])
    drainOnSignals({
      onDrained: (reports) => say({ closed: reports.reduce((sum, one) => sum + one.closed, 0) }),
    })
    setInterval(() => {}, 60_000)
    say("ready")
  },
  /** GET /turn?ms=: one turn that long. GET /hang: an answer that never ends. */
  serve: () => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost")
      if (url.pathname === "/hang") {
        response.writeHead(200).write("…")
        say("hanging")
        return
      }
      const turn = books.run("a", async (_book, { signal }) => {
        say("started")
        if (url.pathname === "/deaf") await sleep(Number(url.searchParams.get("ms")))
        else await sleep(Number(url.searchParams.get("ms")), undefined, { signal })
        return "finished"
      })
      turn.then(
        (text) => response.end(text),
        (error: { reason?: unknown }) => response.writeHead(503).end(String(error.reason)),
      )
    })
    books.subscribe(({ _tag }) => _tag === "DrainStarted" && say("draining"))
    drainOnSignals({
      server,
      finishWithin: Number(process.env["FINISH_WITHIN"] ?? 5000),
      onDrained: (reports) => say({ finished: reports[0]?.finished, cut: reports[0]?.cut.length }),
    })
    server.listen(0, "127.0.0.1", () => say({ port: (server.address() as AddressInfo).port }))
  },
  /** One registry throws, one rejects, one drains. */
  failing: async () => {
    await books.run("a", () => 1)
    const broken = (name: string, drain: () => Promise<never>): AnySessions => ({ ...other, name, drain })
    drainOnSignals({
      sessions: [
        broken("rejects", () => Promise.reject(new Error("no luck\nkey=secret"))),
        broken("throws", () => {
          throw new Error("no luck at once")
        }),
        books,
      ],
      onDrained: (reports) => say({ reports: reports.length }),
    })
    setInterval(() => {}, 60_000)
    say("ready")
  },
  onDrainedThrows: () => {
    drainOnSignals({
      onDrained: () => {
        throw new Error("log is full")
      },
    })
    setInterval(() => {}, 60_000)
    say("ready")
  },
  disposed: () => {
    drainOnSignals()[Symbol.dispose]()
    setInterval(() => {}, 60_000)
    say("ready")
  },
  /** A registry that is made after the handlers. */
  late: async () => {
    drainOnSignals({ onDrained: (reports) => say({ registries: reports.length }) })
    await open("late").run("a", () => 1)
    setInterval(() => {}, 60_000)
    say("ready")
  },
  /** A drain that never ends must still leave a way out. */
  stuck: () => {
    let asked = 0
    const drain = (): Promise<never> => {
      say({ asked: ++asked })
      return new Promise(() => {})
    }
    drainOnSignals({ sessions: [{ ...books, drain }] })
    setInterval(() => {}, 60_000)
    say("ready")
  },
}
await scenarios[scenario]?.()
