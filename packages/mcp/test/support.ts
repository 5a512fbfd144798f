/** A notebook for each client: real servers on loopback, the SDK's own clients, and raw connections where those are too polite. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { CallToolResultSchema, ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import type { Opening, SessionEvent } from "@sojourn/core"
import express, { type Express, type Request } from "express"
import { once } from "node:events"
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { onTestFinished } from "vitest"
import { z } from "zod"
import {
  createMcpSessions,
  mcpHandler,
  type McpHandlerOptions,
  type McpSessionsOptions,
} from "../src/index.ts"

/** What the tools of one server have seen. */
export interface Book {
  readonly id: string
  readonly owner: string | undefined
  readonly notes: Array<string>
  readonly aborted: Array<string>
  readonly server: McpServer
}

/** Resolves when it holds: looked at with each event, and now and then, as not all that happens is one. */
class Facts {
  readonly #looking = new Set<() => void>()
  changed(): void {
    for (const look of this.#looking) look()
  }
  until(holds: () => boolean, what: string, within = 20_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearInterval(again)
        this.#looking.delete(look)
      }
      const deadline = performance.now() + within
      const look = (): void => {
        if (holds()) {
          done()
          resolve()
        } else if (performance.now() > deadline) {
          done()
          reject(new Error(`It did not come about within ${within} ms: ${what}`))
        }
      }
      const again = setInterval(look, 20)
      this.#looking.add(look)
      look()
    })
  }
}

let made = 0

export type Given = Partial<Omit<McpSessionsOptions<McpServer>, "name" | "server">> & {
  readonly handler?: Partial<McpHandlerOptions>
  /** Before each server is made. */
  readonly opening?: (session: Opening) => Promise<void> | void
  readonly app?: () => Express
}

export const notebooks = (given: Given = {}) => {
  const { handler, opening, app: makeApp, ...policy } = given
  const facts = new Facts()
  const books = new Map<string, Book>()
  const events: Array<SessionEvent> = []
  const servers = createMcpSessions({
    name: `mcp-test-${made++}`,
    server: async (session) => {
      const { id, owner } = session
      await opening?.(session)
      const book: Book = { id, owner, notes: [], aborted: [], server: notebook() }
      register(book, facts)
      books.set(id, book)
      return book.server
    },
    ...policy,
  })
  servers.subscribe((event) => {
    events.push(event)
    facts.changed()
  })
  const app = makeApp?.() ?? express().use(express.json({ limit: "100kb" }))
  app.all("/mcp", mcpHandler(servers, { owner: subject, ...handler }))
  const errors: Array<unknown> = []
  app.use((error: unknown, _req: Request, res: express.Response, _next: express.NextFunction) => {
    errors.push(error)
    const status = error instanceof Error && "status" in error ? Number(error.status) : 500
    res.status(status).end()
  })
  onTestFinished(async () => void (await servers.drain({ finishWithin: 0 })))
  const count = (tag: SessionEvent["_tag"]): number => events.filter(({ _tag }) => _tag === tag).length
  return {
    app,
    books,
    count,
    errors,
    events,
    facts,
    servers,
    /** Live ones. */
    sessions: () => count("Opened") - count("Closed"),
    /** Turns that have begun and not ended. */
    running: () => servers.snapshot().counts.running,
    closed: (id: string) =>
      facts.until(
        () => events.some((event) => event._tag === "Closed" && event.session.id === id),
        `${id} closed`,
      ),
    reasons: () => events.flatMap((event) => (event._tag === "Closed" ? [event.reason] : [])),
  }
}
export type Notebooks = ReturnType<typeof notebooks>

const tokens: ReadonlyMap<string, string> = new Map([
  ["Bearer token-a", "alice"],
  ["Bearer token-b", "bob"],
])
const subject = (req: Request): string | undefined => tokens.get(req.get("authorization") ?? "")

const notebook = (): McpServer =>
  new McpServer({ name: "notebook", version: "1.0.0" }, { capabilities: { logging: {} } })

const register = ({ aborted, notes, server }: Book, facts: Facts): void => {
  const text = (...lines: ReadonlyArray<string>) => ({
    content: lines.map((line) => ({ type: "text" as const, text: line })),
  })
  server.registerTool("note", { inputSchema: { text: z.string() } }, ({ text: note }) => {
    notes.push(note)
    facts.changed()
    return text(...notes)
  })
  /** Until it is told to stop, or for so long. */
  server.registerTool(
    "wait",
    { inputSchema: { name: z.string(), ms: z.number().default(60_000) } },
    async ({ name, ms }, { signal }) => {
      notes.push(`${name} began`)
      facts.changed()
      try {
        await sleep(ms, undefined, { signal })
      } catch {
        aborted.push(name)
        facts.changed()
        return text("aborted")
      }
      notes.push(`${name} ended`)
      facts.changed()
      return text("waited")
    },
  )
  /** Says so many times that it goes on, then ends. */
  server.registerTool(
    "steps",
    { inputSchema: { times: z.number(), every: z.number() } },
    async ({ times, every }, { _meta, sendNotification }) => {
      for (let step = 1; step <= times; step++) {
        await sleep(every)
        await sendNotification({
          method: "notifications/progress",
          params: { progressToken: _meta?.progressToken ?? 0, progress: step },
        })
      }
      return text("stepped")
    },
  )
  /** Asks its client something in the middle of a call. */
  server.registerTool("roots", {}, async ({ sendRequest }) => {
    notes.push("asks")
    facts.changed()
    const { roots } = await sendRequest({ method: "roots/list" }, RootsResult)
    return text(...roots.map(({ uri }) => uri))
  })
}
const RootsResult = z.object({ roots: z.array(z.object({ uri: z.string() })) })

/** Serves on a free loopback port until the test ends. */
export const serve = async (app: Express): Promise<{ readonly url: string; readonly server: Server }> => {
  const server = createServer(app)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, server }
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>
/** A client that keeps no standing GET open: what a server must answer that offers none. */
export const withoutGet: Fetch = async (url, init) =>
  init?.method === "GET" ? new Response(null, { status: 405 }) : fetch(url, init)

export interface Connected {
  readonly client: Client
  readonly transport: StreamableHTTPClientTransport
  readonly id: string
  readonly call: (
    name: string,
    args?: Readonly<Record<string, unknown>>,
    options?: { readonly signal?: AbortSignal; readonly timeout?: number },
  ) => Promise<ReadonlyArray<string>>
  readonly note: (text: string) => Promise<ReadonlyArray<string>>
  /** Ends its connections without a word: the SDK says DELETE only when it is asked to. */
  readonly leave: () => Promise<void>
}

/** The SDK's own client; closed when the test ends. */
export const connect = async (
  url: string,
  { token = "token-a", fetch: own = fetch }: { readonly token?: string; readonly fetch?: Fetch } = {},
): Promise<Connected> => {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: own,
  })
  const client = new Client({ name: "test", version: "1.0.0" }, { capabilities: { roots: {} } })
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: "file:///here" }] }))
  await client.connect(transport)
  onTestFinished(() => client.close())
  const call: Connected["call"] = async (name, args = {}, options = {}) => {
    const result = await client.callTool({ name, arguments: args }, undefined, options)
    return CallToolResultSchema.parse(result).content.map((part) => (part.type === "text" ? part.text : ""))
  }
  return {
    client,
    transport,
    id: transport.sessionId ?? "",
    call,
    note: (text) => call("note", { text }),
    leave: () => client.close(),
  }
}

export const both = "application/json, text/event-stream"
export const initialize = (id: number | string = 0): object => ({
  jsonrpc: "2.0",
  id,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "raw", version: "1.0.0" },
  },
})
export const toolCall = (id: unknown, name: string, args: object = {}): object => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
})
export const cancelled = (requestId: unknown): object => ({
  jsonrpc: "2.0",
  method: "notifications/cancelled",
  params: { requestId },
})

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}
export interface Raw {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>>
  /** Sent as JSON, or a text as it is. */
  readonly body?: unknown
  readonly token?: string | undefined
  readonly id?: string | undefined
}

const rawRequest = (url: string, raw: Raw) => {
  const { method = "POST", token = "token-a", id, body } = raw
  const request = httpRequest(url, {
    method,
    agent: false,
    headers: {
      accept: both,
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(id === undefined ? {} : { "mcp-session-id": id }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(raw.headers as Record<string, string>),
    },
  })
  request.on("error", () => {})
  request.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body))
  return request
}

/** Sends, and reads the whole answer. */
export const send = async (url: string, raw: Raw): Promise<Answer> => {
  const request = rawRequest(url, raw)
  const [response] = (await once(request, "response")) as [IncomingMessage]
  let body = ""
  for await (const chunk of response.setEncoding("utf8")) body += String(chunk)
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}
/** Sends, and leaves the answer unread, for `vanish`. Resolves once its headers are there. */
export const begin = async (url: string, raw: Raw) => {
  const request = rawRequest(url, raw)
  const [response] = (await once(request, "response")) as [IncomingMessage]
  response.on("error", () => {})
  const ended = new Promise<boolean>((resolve) => {
    response.once("end", () => resolve(true)).once("close", () => resolve(response.complete))
  })
  return {
    status: response.statusCode ?? 0,
    response,
    /** What comes, and whether the answer was complete in the end. */
    read: async (): Promise<string> => {
      let text = ""
      for await (const chunk of response.setEncoding("utf8")) text += String(chunk)
      return text
    },
    ended: () => {
      response.resume()
      return ended
    },
    vanish: () => response.socket.resetAndDestroy(),
  }
}
/** Introduces itself, and is ready to call. */
export const introduced = async (url: string, token = "token-a"): Promise<string> => {
  const { status, headers } = await send(url, { body: initialize(), token })
  const id = headers["mcp-session-id"]
  if (status !== 200 || typeof id !== "string") throw new Error(`not introduced: ${status}`)
  await send(url, { id, token, body: { jsonrpc: "2.0", method: "notifications/initialized" } })
  return id
}
