/** Whatever a client makes up: no 500, and nothing is opened. */
import express from "express"
import express4 from "express4"
import fc from "fast-check"
import { once } from "node:events"
import { connect as connectTo } from "node:net"
import { text } from "node:stream/consumers"
import { describe, expect, it } from "vitest"
import { askOf } from "../src/ask.ts"
import {
  both,
  connect,
  initialize,
  introduced,
  notebooks,
  send,
  serve,
  toolCall,
  type Raw,
} from "./support.ts"

/** As it stands, which no HTTP client would send. */
const sendBytes = async (url: string, bytes: string): Promise<string> => {
  const { hostname, port } = new URL(url)
  const socket = connectTo(Number(port), hostname)
  socket.on("error", () => {})
  await once(socket, "connect")
  socket.end(bytes)
  return text(socket)
}
const post = (headers: ReadonlyArray<string>, body: string): string =>
  [
    "POST /mcp HTTP/1.1",
    ...(headers.some((header) => header.startsWith("host:")) ? [] : ["host: 127.0.0.1"]),
    "authorization: Bearer token-a",
    `accept: ${both}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
    ...headers,
    "",
    body,
  ].join("\r\n")

const garbage: ReadonlyArray<unknown> = [
  "",
  "{",
  "null",
  "1",
  '"initialize"',
  "[]",
  "[[]]",
  "{}",
  [null],
  { jsonrpc: "2.0" },
  { jsonrpc: "1.0", id: 1, method: "initialize", params: {} },
  { jsonrpc: "2.0", id: 1, method: "initialize" },
  { jsonrpc: "2.0", id: null, method: "initialize", params: {} },
  { ...initialize(), jsonrpc: "3.0" },
  { ...initialize(), id: { toString: "x" } },
  { ...initialize(), id: 1.5 },
  // A notification of that name is no request.
  { jsonrpc: "2.0", method: "initialize", params: Reflect.get(initialize(), "params") },
  [initialize(), initialize(1)],
  [initialize(), { jsonrpc: "2.0", method: "notifications/initialized" }],
  { ...initialize(), params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: "me" } },
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"__proto__":{"protocolVersion":"1"}}}',
  toolCall(1, "note", { text: "x" }),
  Array.from({ length: 101 }, (_, id) => toolCall(id, "note", { text: "x" })),
  Array.from({ length: 20_000 }, () => 0),
  "9".repeat(2 * 100 * 1024),
]
const ids: ReadonlyArray<string> = [
  "",
  " ",
  "x",
  "0",
  "../../etc/passwd",
  "%00",
  "a".repeat(8000),
  "00000000-0000-4000-8000-000000000000",
  "00000000-0000-4000-8000-00000000000G",
  "00000000-0000-4000-8000-000000000000, 00000000-0000-4000-8000-000000000000",
  "alice~00000000-0000-4000-8000-000000000000",
  "__proto__",
  "constructor",
  "\u00e9\u00ff",
]

for (const [version, app] of [
  ["5", () => express().use(express.json())],
  ["4", () => express4().use(express4.json()) as unknown as express.Express],
] as const) {
  describe(`hostile requests under Express ${version}`, () => {
    it("open nothing and are no fault of the server's, without an id", async () => {
      const books = notebooks({ app })
      const { url } = await serve(books.app)
      for (const body of garbage) {
        const { status } = await send(url, { body })
        expect([JSON.stringify(body)?.slice(0, 80), status]).toEqual([
          expect.anything(),
          String(body).length > 100 * 1024 ? 413 : 400,
        ])
      }
      expect(books.events).toEqual([])
    })

    it("open nothing, with an id that was made up", async () => {
      const books = notebooks({ app })
      const { url } = await serve(books.app)
      for (const id of ids) {
        for (const raw of [
          { body: toolCall(1, "note") },
          { body: initialize() },
          { method: "GET" },
          { method: "DELETE" },
        ]) {
          const { status } = await send(url, { ...raw, id })
          // Node takes an empty header for one that says nothing.
          expect([id.slice(0, 50), raw.method ?? "POST", status]).toEqual([
            id.slice(0, 50),
            raw.method ?? "POST",
            404,
          ])
        }
      }
      expect(books.sessions()).toBe(0)
      expect(books.count("Opening")).toBe(0)
    })

    it("with the wrong form open nothing: method, accept, content type", async () => {
      const books = notebooks({ app })
      const { url } = await serve(books.app)
      const body = initialize()
      const tries: ReadonlyArray<readonly [Raw, number]> = [
        [{ method: "PUT", body }, 405],
        [{ method: "PATCH", body }, 405],
        [{ method: "OPTIONS" }, 405],
        [{ method: "HEAD" }, 405],
        [{ body, headers: { accept: "application/json" } }, 406],
        [{ body, headers: { accept: "*/*" } }, 406],
        [{ body, headers: { accept: "" } }, 406],
        [{ method: "GET", headers: { accept: "application/json" } }, 406],
        [{ body, headers: { "content-type": "text/plain" } }, 415],
        [{ body, headers: { "content-type": "application/jsonp" } }, 415],
        [{ body, headers: { "content-type": "" } }, 415],
        [{}, 415],
        [{ headers: { "content-type": "application/json" } }, 400],
        [{ method: "GET" }, 400],
        [{ method: "DELETE" }, 400],
      ]
      for (const [raw, expected] of tries) {
        const { status, body: said, headers } = await send(url, raw)
        expect([raw, status]).toEqual([raw, expected])
        if (expected === 405) expect(headers["allow"]).toBe("GET, POST, DELETE")
        if (said !== "") expect(JSON.parse(said)).toMatchObject({ jsonrpc: "2.0", id: null })
      }
      expect(books.events).toEqual([])
      expect(books.errors).toEqual([])
    })

    it("that break the protocol inside a session leave it as it is", async () => {
      const books = notebooks({ app })
      const { url } = await serve(books.app)
      const id = await introduced(url)
      for (const body of garbage) {
        const { status } = await send(url, { id, body })
        expect([JSON.stringify(body)?.slice(0, 60), status < 500]).toEqual([expect.anything(), true])
      }
      const reused = [toolCall(1, "note", { text: "twice" }), toolCall(1, "note", { text: "twice" })]
      expect((await send(url, { id, body: reused })).status).toBe(400)
      const headers = { "mcp-protocol-version": "1999-01-01" }
      expect((await send(url, { id, body: toolCall(1, "note", { text: "old" }), headers })).status).toBe(400)
      expect((await send(url, { id, body: initialize() })).status).toBe(400)
      for (const requestId of [null, {}, [], 9, "x", undefined, 0])
        expect(
          (
            await send(url, {
              id,
              body: { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } },
            })
          ).status,
        ).toBe(202)
      for (const answered of ["sojourn:ping:1", "sojourn:ping:", 0, "x"])
        expect((await send(url, { id, body: { jsonrpc: "2.0", id: answered, result: {} } })).status).toBe(202)
      const last = await send(url, { id, body: toolCall("last", "note", { text: "last" }) })
      // The one call among the garbage that was well formed inside a session.
      expect(last.body).toContain('{"content":[{"type":"text","text":"x"},{"type":"text","text":"last"}]}')
      expect(books.sessions()).toBe(1)
      expect(books.running()).toBe(0)
    })

    it("whose headers are forged byte by byte open nothing", async () => {
      const books = notebooks({ app })
      const { url } = await serve(books.app)
      const body = JSON.stringify(toolCall(1, "note", { text: "x" }))
      const id = await introduced(url)
      const forged = [
        ["mcp-session-id: x\r\nmcp-session-id: y"],
        [`mcp-session-id: ${id}`, "mcp-session-id: x"],
        [`mcp-session-id: x\nauthorization: Bearer token-b`],
        ["mcp-session-id: x\u0000y"],
        ["mcp-session-id:"],
        ["mcp-session-id : x"],
        [`mcp-session-id: ${"x".repeat(20_000)}`],
        ["host: evil.example"],
        ["host: 127.0.0.1:x"],
        ["host: 127.0.0.1/../evil"],
        ["host: user@127.0.0.1"],
        ["host:"],
        ["origin: http://evil.example"],
        ["origin: null"],
        ["origin: http://127.0.0.1.evil.example"],
        ["transfer-encoding: chunked"],
      ]
      for (const headers of forged) {
        for (const sent of [body, JSON.stringify(initialize())]) {
          const said = await sendBytes(url, post(headers, sent))
          expect([headers, said.slice(0, 12)]).toEqual([headers, expect.stringMatching(/^HTTP\/1\.1 4/)])
          expect(said).not.toContain("evil")
        }
      }
      expect(books.count("Opened")).toBe(1)
    })

    it("that end in the middle of their body open nothing", async () => {
      const books = notebooks({ app })
      const { url } = await serve(books.app)
      const whole = post([], JSON.stringify(initialize()))
      for (let length = whole.indexOf("\r\n\r\n") + 4; length < whole.length; length += 7)
        await sendBytes(url, whole.slice(0, length))
      expect(books.events).toEqual([])
    })

    it("leave the SDK's client a server that works", async () => {
      const books = notebooks({ app })
      const { url } = await serve(books.app)
      const { note } = await connect(url)
      expect(await note("milk")).toEqual(["milk"])
    })
  })
}

it("without express.json() before it, it says so instead of waiting for a body that never comes", async () => {
  const books = notebooks({ app: () => express() })
  const { url } = await serve(books.app)
  expect((await send(url, { body: initialize() })).status).toBe(500)
  expect(books.errors.map(String)).toEqual([expect.stringContaining("express.json()")])
  expect(books.events).toEqual([])
})

it("what an owner throws goes to the application's error handlers", async () => {
  const books = notebooks({
    handler: {
      owner: () => {
        throw new Error("no login")
      },
    },
  })
  const { url } = await serve(books.app)
  expect((await send(url, { body: initialize() })).status).toBe(500)
  expect(books.errors).toEqual([new Error("no login")])
})

describe("what a request asks for", () => {
  const header = fc.option(fc.oneof(fc.string(), fc.constant("application/json, text/event-stream")), {
    nil: undefined,
  })
  const message = fc.oneof(
    fc.constantFrom(
      initialize(),
      toolCall(1, "x"),
      { jsonrpc: "2.0", method: "x" },
      { jsonrpc: "2.0", id: 1, result: {} },
    ),
    fc.jsonValue(),
  )
  it("is never an exception, and opens only for one whole introduction", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("GET", "POST", "DELETE", "HEAD", "get", ""),
        fc.record({
          accept: header,
          "content-type": fc.constantFrom(
            undefined,
            "application/json",
            "application/JSON; charset=utf-8",
            "text/json",
          ),
          "mcp-session-id": fc.option(fc.oneof(fc.string(), fc.uuid()), { nil: undefined }),
          "last-event-id": fc.option(fc.string(), { nil: undefined }),
        }),
        fc.oneof(message, fc.array(message, { maxLength: 3 })),
        (method, headers, body) => {
          const ask = askOf({ method, headers, body })
          if (ask.to === "initialize") {
            expect(headers["mcp-session-id"]).toBeUndefined()
            const only: unknown = Array.isArray(body) ? body[0] : body
            expect(only).toMatchObject({ jsonrpc: "2.0", method: "initialize", id: expect.anything() })
            expect(Array.isArray(body) ? body.length : 1).toBe(1)
          } else if (ask.to !== "refuse") expect(ask.id).toHaveLength(36)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
