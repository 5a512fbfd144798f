/** The typed client against a real inspector, through lost connections and things in between. */
import { createServer, type Server } from "node:http"
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net"
import { readFileSync } from "node:fs"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { connectInspector, InspectorError, type Connection, type EventRow, type View } from "../src/client.ts"
import { dashboard } from "../src/index.ts"
import { protocolVersion } from "../src/protocol.ts"
import { hanging, listen, rooms, serve } from "./support.ts"

const collect = <A>(items: AsyncIterable<A>): { readonly all: Array<A>; readonly over: Promise<unknown> } => {
  const all: Array<A> = []
  const over = (async () => {
    for await (const item of items) all.push(item)
  })()
  over.catch(() => {})
  return { all, over }
}
const ending = () => {
  const own = new AbortController()
  onTestFinished(() => own.abort())
  return own
}

/** A proxy of bytes, whose connections can be cut, and which can be shut. */
const between = async (url: string) => {
  const { port } = new URL(url)
  const sockets = new Set<Socket>()
  let open = true
  const proxy = createTcpServer((client) => {
    if (!open) return void client.destroy()
    const server = connect(Number(port), "127.0.0.1")
    sockets.add(client)
    client.on("close", () => sockets.delete(client))
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on("error", () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    shut: (shut: boolean) => {
      open = !shut
    },
  }
}

describe("questions", () => {
  it("everything there is to ask", async () => {
    const a = rooms()
    const hang = hanging()
    const work = a.run("x", hang.work, { name: "think" })
    work.catch(() => {})
    await hang.began
    const { url } = await serve({ sessions: [a] })
    const client = connectInspector(`${url}/`)
    expect((await client.about()).protocolVersion).toBe(protocolVersion)
    expect((await client.overview()).kinds[0]?.gauges.running).toBe(1)
    expect((await client.kind(a.name)).tasks[0]?.name).toBe("think")
    const [row] = (await client.sessions({ idle: false, kind: [a.name], sort: "-running" })).sessions.rows
    const [task] = (await client.tasks({ state: ["running"], limit: 1 })).tasks.rows
    if (row === undefined || task === undefined) throw new Error("there is none")
    expect((await client.session(a.name, row.hash)).session).toEqual(row)
    expect((await client.of(a.name).explain(row.hash)).words).toContain("Kept alive by turn")
    expect((await client.task(a.name, task.id)).task.id).toBe(task.id)
    expect((await client.warnings()).catalogue.length).toBeGreaterThan(10)
    expect((await client.series({ name: ["tasks"] })).columns).toBeInstanceOf(Array)
    expect((await client.heatmap({ span: "runs" })).boundsMs.length).toBeGreaterThan(0)
    expect((await client.eventsAfter(0)).events).toEqual([])
    const of = client.of(a.name)
    expect(await of.pin(row.hash, 5000)).toMatchObject({ state: "ended" })
    expect(await of.unpin(row.hash)).toMatchObject({ affected: 1 })
    const cancelled = await of.cancel(row.hash, task.id)
    expect(cancelled.state).toBe("interrupting")
    hang.end()
    expect(await client.finished(cancelled)).toMatchObject({ state: "ended", unended: 0 })
    expect(await client.finished(await of.evictIdle(5))).toMatchObject({ affected: 1 })
    expect(await of.restart(row.hash)).toMatchObject({ state: "nothing" })
    expect(await of.close(row.hash)).toMatchObject({ state: "nothing" })
    expect(await of.drain(a.name, 0)).toMatchObject({ state: "ended" })
    expect((await client.actions()).map(({ action }) => action)).toEqual([
      "drain",
      "close",
      "restart",
      "evictIdle",
      "cancelTask",
      "unpin",
      "pin",
    ])
  })

  it("names of registries that are no path", async () => {
    const a = rooms({ name: "a/b ?&#%" })
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const client = connectInspector(url)
    const [row] = (await client.sessions({ kind: [a.name] })).sessions.rows
    expect((await client.session(a.name, row?.hash ?? "")).session.kind).toBe(a.name)
    const own = ending()
    for await (const view of client.watch(["session"], {
      of: { kind: a.name, hash: row?.hash ?? "" },
      signal: own.signal,
    })) {
      expect(view.session?.session.kind).toBe(a.name)
      break
    }
  })

  it("an answer that has not changed is the one from before", async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const statuses: Array<number> = []
    const client = connectInspector(url, {
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        statuses.push(response.status)
        return response
      },
    })
    const one = await client.sessions()
    expect(await client.sessions()).toBe(one)
    expect(statuses).toEqual([200, 304])
  })

  it("errors are typed", async () => {
    const { url } = await serve({
      sessions: [rooms()],
      authorize: (req) => (req.headers["x-role"] as never) ?? undefined,
    })
    const codeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => "none",
        (error: unknown) =>
          error instanceof InspectorError ? `${error.status} ${error.code}` : String(error),
      )
    expect(await codeOf(connectInspector(url).overview())).toBe("403 not-authorized")
    const viewer = connectInspector(url, { headers: { "x-role": "view" } })
    expect(await codeOf(viewer.overview())).toBe("none")
    expect(await codeOf(viewer.of("x").close("0123456789abcdef"))).toBe("403 not-authorized")
    expect(await codeOf(viewer.kind("none"))).toBe("404 not-found")
    expect(await codeOf(viewer.sessions({ limit: 900 }))).toBe("400 bad-request")
    expect(await codeOf(connectInspector("http://127.0.0.1:1").overview())).toBe("0 unreachable")
    const operator = connectInspector(url, { headers: { "x-role": "operate" } })
    const differs = await operator
      .act({ action: "cancelTasks", filter: { state: ["running"] }, expected: 0 })
      .catch((error: InspectorError) => error.code)
    expect(differs).toMatchObject({ state: "nothing" })
  })

  it("what is no inspector, or of another version, is told apart", async () => {
    const other = await listen((req, res) => {
      if (req.url === "/overview")
        res.setHeader("content-type", "application/json").end('{"protocolVersion":99}')
      else if (req.url === "/about") res.end("<html>")
      else res.writeHead(502).end("bad gateway")
    })
    const client = connectInspector(other)
    await expect(client.overview()).rejects.toMatchObject({
      code: "version",
      message: expect.stringContaining("99"),
    })
    await expect(client.about()).rejects.toMatchObject({ code: "not-inspector" })
    await expect(client.warnings()).rejects.toMatchObject({
      code: "not-inspector",
      status: 502,
      passing: true,
    })
  })
})

describe("live", () => {
  it("goes on after a lost connection from where it was, and says so", { timeout: 30_000 }, async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const proxy = await between(url)
    const own = ending()
    const connections: Array<Connection> = []
    const { all, over } = collect(
      connectInspector(proxy.url).watch(["overview", "sessions"], {
        everyMs: 250,
        signal: own.signal,
        onConnection: (connection) => connections.push(connection),
      }),
    )
    await vi.waitFor(() => expect(all.length).toBeGreaterThan(2), 5000)
    const before = all.at(-1)
    proxy.shut(true)
    proxy.cut()
    await vi.waitFor(() => expect(connections.at(-1)).toBe("reconnecting"), 5000)
    for (let turn = 0; turn < 3; turn++) await a.run("y", () => 1)
    proxy.shut(false)
    await vi.waitFor(() => expect(connections.at(-1)).toBe("live"), 15_000)
    await vi.waitFor(() => expect(all.at(-1)?.sessions?.total).toBe(2), 5000)
    const after = all.at(-1) as View
    expect(after.run).toBe(before?.run)
    // What had not changed meanwhile was not sent again.
    const rowOf = (view: View | undefined) => view?.sessions?.rows.find(({ turns }) => turns === 1)
    expect(rowOf(after)).toBe(rowOf(before))
    own.abort()
    await over
  })

  it("events come once each, also through a lost connection", { timeout: 30_000 }, async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const proxy = await between(url)
    const own = ending()
    const connections: Array<Connection> = []
    const { all, over } = collect<EventRow>(
      connectInspector(proxy.url).events({
        everyMs: 250,
        signal: own.signal,
        onConnection: (connection) => connections.push(connection),
      }),
    )
    // Another one keeps watching, so that nothing is missed while this one is away.
    const keeps = collect(connectInspector(url).events({ everyMs: 250, signal: own.signal }))
    await vi.waitFor(() => expect(connections).toEqual(["live"]), 5000)
    await a.run("x", () => 1)
    await vi.waitFor(() => expect(all).toHaveLength(2), 5000)
    proxy.shut(true)
    proxy.cut()
    await a.run("x", () => 1)
    await vi.waitFor(() => expect(connections).toContain("reconnecting"), 5000)
    proxy.shut(false)
    await vi.waitFor(() => expect(all).toHaveLength(4), 15_000)
    expect(all.map(({ n }) => n)).toEqual([1, 2, 3, 4])
    expect(keeps.all).toEqual(all)
    own.abort()
    await over
  })

  it("another life of the server counts anew", { timeout: 30_000 }, async () => {
    const a = rooms()
    let handler = dashboard({ sessions: [a] })
    const server: Server = createServer((req, res) => handler(req, res))
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => {
      handler[Symbol.dispose]()
      server.closeAllConnections()
      server.close()
    })
    const own = ending()
    const { all } = collect(
      connectInspector(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).events({
        everyMs: 250,
        signal: own.signal,
      }),
    )
    const say = async (least: number) =>
      vi.waitFor(
        async () => {
          await a.run("x", () => 1)
          expect(all.length).toBeGreaterThan(least)
        },
        { timeout: 10_000, interval: 300 },
      )
    await say(10)
    handler[Symbol.dispose]()
    handler = dashboard({ sessions: [a] })
    server.closeAllConnections()
    const before = all.length
    const { n: last = 0 } = all.at(-1) ?? {}
    await say(before + 1)
    expect(all[before]?.n).toBeLessThan(last)
    own.abort()
  })

  it("asks where no stream gets through, and where it is told to", { timeout: 30_000 }, async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const own = ending()
    const connections: Array<Connection> = []
    const { all } = collect(
      connectInspector(url).watch(["sessions", "events"], {
        everyMs: 250,
        transport: "poll",
        signal: own.signal,
        onConnection: (connection) => connections.push(connection),
      }),
    )
    await vi.waitFor(() => expect(all.length).toBeGreaterThan(1), 5000)
    expect(new Set(connections)).toEqual(new Set(["polling"]))
    await a.run("y", () => 1)
    await vi.waitFor(() => expect(all.at(-1)?.sessions?.total).toBe(2), 5000)
    expect(all.flatMap(({ events }) => events).filter(({ what }) => what === "Opened")).toHaveLength(1)
  })

  it("gives up where it is refused, and not where it is only unreachable", async () => {
    const { url } = await serve({ sessions: [rooms()], authorize: () => undefined })
    await expect(collect(connectInspector(url).watch(["overview"])).over).rejects.toMatchObject({
      code: "not-authorized",
    })
    const own = ending()
    const connections: Array<Connection> = []
    const { over } = collect(
      connectInspector("http://127.0.0.1:1").watch(["overview"], {
        signal: own.signal,
        onConnection: (connection) => connections.push(connection),
      }),
    )
    await vi.waitFor(() => expect(connections).toContain("reconnecting"))
    own.abort()
    await over
  })

  it("leaving the loop leaves the server", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const client = connectInspector(url)
    for await (const view of client.watch(["overview"])) {
      expect(view.overview).toHaveLength(1)
      break
    }
    await vi.waitFor(async () => expect((await client.about()).viewers).toBe(0))
  })
})

it("has of the schemas only the types", () => {
  const seen = new Set<string>()
  const outside: Array<string> = []
  const follow = (path: URL): void => {
    if (seen.has(path.href)) return
    seen.add(path.href)
    const text = readFileSync(path, "utf8").replaceAll(/(?:import|export) type [^]*?from "[^"]+"/g, "")
    for (const [statement, specifier = ""] of text.matchAll(/(?:import|export) [^]*?from "([^"]+)"/g)) {
      const names = /\{([^}]*)\}/.exec(statement)?.[1]
      const values = names?.split(",").filter((name) => name.trim() !== "" && !/^\s*type /.test(name))
      if (values?.length === 0) continue
      if (specifier.startsWith(".")) follow(new URL(specifier, path))
      else outside.push(specifier)
    }
  }
  follow(new URL("../src/client.ts", import.meta.url))
  expect(outside).toEqual([])
  expect([...seen].some((path) => path.includes("/protocol/sessions"))).toBe(false)
  expect(seen.size).toBeGreaterThan(5)
})
