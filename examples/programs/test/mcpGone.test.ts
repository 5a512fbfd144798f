/**
 * Clients that leave without a word. The server is a real process, the clients are the SDK's own over loopback HTTP.
 * Each group first runs the peer: the SDK's documented pattern, a Map of transports that a transport's `onclose` empties.
 * A peer's test that fails means that the peer was changed: `docs/guides/peers.md` has the table to correct.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { CallToolResultSchema, isInitializeRequest } from "@modelcontextprotocol/sdk/types.js"
import express, { type Response as Answer } from "express"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { get, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { createMcpServer } from "../src/mcp/notes.ts"
import { serve, type Server } from "./start.ts"

const authorization = "Bearer token-of-alice"

/** The documented pattern, in this process: what it keeps can be looked at. */
const mapOfTransports = async () => {
  const transports = new Map<string, StreamableHTTPServerTransport>()
  let closes = 0
  const answering = new Set<Answer>()
  const app = express().use(express.json())
  app.all("/mcp", async (req, res) => {
    answering.add(res)
    res.once("close", () => answering.delete(res))
    const known = transports.get(req.get("mcp-session-id") ?? "")
    if (known !== undefined) return known.handleRequest(req, res, req.body)
    if (!isInitializeRequest(req.body)) return void res.status(404).end()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void transports.set(id, transport),
    })
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    transport.onclose = () => {
      closes++
      transports.delete(transport.sessionId ?? "")
    }
    await createMcpServer().connect(transport)
    await transport.handleRequest(req, res, req.body)
  })
  const http = app.listen(0, "127.0.0.1")
  await once(http, "listening")
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    /** Sessions, and how many were ever closed. */
    kept: () => ({ sessions: transports.size, closes }),
    /** Resolves once the server knows that nobody is there any more. */
    left: () => vi.waitFor(() => expect(answering.size).toBe(0), 10_000),
  }
}

interface Connected {
  readonly id: string
  readonly key: string
  readonly note: (text: string, afterMs: number) => Promise<ReadonlyArray<string>>
  /** Ends its connections without a word: the SDK says DELETE only when it is asked to. */
  readonly leave: () => Promise<void>
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>
/** A client that keeps no standing GET open: what a server must answer that offers none. */
const withoutGet: Fetch = async (url, init) =>
  init?.method === "GET" ? new Response(null, { status: 405 }) : fetch(url, init)

const connect = async (url: string, fetchWith: Fetch = fetch): Promise<Connected> => {
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization } },
    fetch: fetchWith,
  })
  const client = new Client({ name: "test", version: "1.0.0" })
  await client.connect(transport)
  const id = transport.sessionId ?? ""
  return {
    id,
    key: `alice~${id}`,
    note: async (text, afterMs) => {
      const result = await client.callTool({ name: "note", arguments: { text, afterMs } })
      const { content } = CallToolResultSchema.parse(result)
      return content.map((part) => (part.type === "text" ? part.text : ""))
    },
    leave: () => client.close(),
  }
}

/** So many clients, some at a time; all leave without a word. */
const connectMany = async (url: string, count: number, atOnce = 20, fetchWith?: Fetch) => {
  const clients: Array<Connected> = []
  let begun = 0
  const connectNext = async (): Promise<void> => {
    while (begun < count) {
      begun++
      clients.push(await connect(url, fetchWith))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, connectNext))
  return { leave: () => Promise.all(clients.map(({ leave }) => leave())) }
}

const headers = (id: string): Readonly<Record<string, string>> => ({
  authorization,
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "mcp-session-id": id,
})

/** Opens the standing GET of a session, and resets its connection once it streams. */
const hardDroppedGet = async (url: string, id: string): Promise<void> => {
  const [response] = (await once(get(`${url}/mcp`, { agent: false, headers: headers(id) }), "response")) as [
    IncomingMessage,
  ]
  expect(response.headers["content-type"]).toBe("text/event-stream")
  response.on("error", () => {}).socket.resetAndDestroy()
}

/** Calls the tool, and is gone once the server has taken the call up. */
const callAndVanish = async (url: string, id: string, text: string, afterMs: number): Promise<void> => {
  const gone = new AbortController()
  const params = { name: "note", arguments: { text, afterMs } }
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: headers(id),
    body: JSON.stringify({ jsonrpc: "2.0", id: "vanishes", method: "tools/call", params }),
    signal: gone.signal,
  })
  expect(response.status).toBe(200)
  gone.abort()
}

const count = ({ lines }: Server, ending: string): number =>
  lines.filter((line) => line.endsWith(ending)).length
const opened = (server: Server): number => count(server, " opened")
const running = (server: Server): number =>
  count(server, ": started") - count(server, ": succeeded") - count(server, ": cancelled")

/** Lets the program tell its heap after a collection, whenever it gets SIGUSR2. */
const heapOn = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`
    import { setFlagsFromString } from "node:v8"
    import { runInNewContext } from "node:vm"
    setFlagsFromString("--expose-gc")
    const gc = runInNewContext("gc")
    let times = 0
    process.on("SIGUSR2", () => {
      gc()
      console.log("heap " + ++times + ": " + process.memoryUsage().heapUsed)
    })`)}`,
}
/** Bytes in use. */
const heapOf = (server: Server): (() => Promise<number>) => {
  let times = 0
  return async () => {
    times++
    server.signal("SIGUSR2")
    const line = await server.line(new RegExp(`^heap ${times}: `))
    return Number(line.split(": ")[1])
  }
}

describe("clients introduce themselves and are gone", () => {
  test("peer: a Map of transports keeps them all, and is never told", async () => {
    const { url, kept, left } = await mapOfTransports()
    const { leave } = await connectMany(url, 100)
    await leave()
    await left()
    expect(kept()).toEqual({ sessions: 100, closes: 0 })
  })

  test(
    "L8, L26: of a thousand with a standing GET each no session is left after the idle time, nor their memory",
    { timeout: 90_000 },
    async () => {
      // Long enough for one that has introduced itself to listen, on a machine that is busy with all the others.
      const server = await serve("mcp/main.ts", { IDLE_TIMEOUT: "3000", MAX_PER_OWNER: "1000", ...heapOn })
      const heap = heapOf(server)
      let gone = 0
      const wave = async (clients: number) => {
        const { leave } = await connectMany(server.url, clients)
        await vi.waitFor(() => expect(running(server)).toBe(clients), 30_000)
        // All are alive: a client that is there is in use, however quiet.
        expect([opened(server), count(server, " closed: Idle")]).toEqual([gone + clients, gone])
        const live = await heap()
        await leave()
        gone += clients
        await vi.waitFor(() => expect(count(server, " closed: Idle")).toBe(gone), 30_000)
        expect(running(server)).toBe(0)
        return { live, gone: await heap() }
      }
      const first = await wave(1000)
      const second = await wave(500)
      // Bytes for each: while it lives (its connection and the SDK's server for it included), and once it is gone.
      expect((second.live - first.gone) / 500).toBeLessThan(100_000)
      expect((second.gone - first.gone) / 500).toBeLessThan(1000)
    },
  )

  test("L9: one who introduces itself again and again never has more than its twenty", async () => {
    const server = await serve("mcp/main.ts")
    await connectMany(server.url, 100, 1, withoutGet)
    await vi.waitFor(() => expect(count(server, " closed: Evicted")).toBe(80))
    let alive = 0
    const seen = server.lines.map((line) => {
      if (line.endsWith(" opened")) alive++
      else if (line.includes(" closed: ")) alive--
      return alive
    })
    expect(Math.max(...seen)).toBe(20)
    expect(opened(server)).toBe(100)
  })
})

describe("the connection of a standing GET is dropped", () => {
  test("peer: the session stays", async () => {
    const { url, kept, left } = await mapOfTransports()
    const { id, leave } = await connect(url, withoutGet)
    await hardDroppedGet(url, id)
    await leave()
    await left()
    expect(kept()).toEqual({ sessions: 1, closes: 0 })
  })

  test("L5, L8: its turn ends at once, and the session after the idle time", async () => {
    const server = await serve("mcp/main.ts", { IDLE_TIMEOUT: "500" })
    const { id, key } = await connect(server.url, withoutGet)
    await hardDroppedGet(server.url, id)
    await server.line(`${key} run: cancelled`)
    expect(running(server)).toBe(0)
    await server.line(`${key} closed: Idle`)
  })
})

describe("the client of a tool call vanishes", () => {
  /** What the session has noted once the call that vanished would have ended. */
  const notesAfter = async (url: string, { id, note }: Connected): Promise<ReadonlyArray<string>> => {
    await callAndVanish(url, id, "of nobody", 800)
    return note("next", 1200)
  }

  test("peer: the tool is not told, and does its work for nobody", async () => {
    const { url } = await mapOfTransports()
    expect(await notesAfter(url, await connect(url))).toEqual(["of nobody", "next"])
  })

  test("L5: the tool's signal aborts; the session goes on", async () => {
    const server = await serve("mcp/main.ts")
    const client = await connect(server.url)
    expect(await notesAfter(server.url, client)).toEqual(["next"])
    expect(server.lines).toContain(`${client.key} run: cancelled`)
  })
})

// agegr/pi-web#809: the server waits for its streams for ever; cubeplexai/cubeplex#606: streams close while runs drain.
test("L14: SIGINT ends standing GETs at once, while tool calls finish", async () => {
  const server = await serve("mcp/main.ts")
  const [busy, quiet] = [await connect(server.url), await connect(server.url)]
  await vi.waitFor(() => expect(running(server)).toBe(2))
  const last = busy.note("last words", 600)
  await vi.waitFor(() => expect(running(server)).toBe(3))
  const from = performance.now()
  server.signal("SIGINT")
  await server.line(`${quiet.key} closed: Drained`)
  expect(server.lines).not.toContain(`${busy.key} closed: Drained`)
  expect(await last).toEqual(["last words"])
  const { code, stderr } = await server.exit
  expect([stderr, code]).toEqual(["", 0])
  // Not the ten seconds that running work is given.
  expect(performance.now() - from).toBeLessThan(5000)
})
