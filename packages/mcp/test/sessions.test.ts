/** Life of a session, with the SDK's own client over loopback HTTP. */
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js"
import { describe, expect, it } from "vitest"
import {
  begin,
  connect,
  initialize,
  introduced,
  notebooks,
  send,
  serve,
  toolCall,
  withoutGet,
} from "./support.ts"

const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof StreamableHTTPError ? error.code : error
}

describe("a client's session", () => {
  it("L1 keeps the server of the client that introduced itself", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { client, id, note } = await connect(url)
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    expect(await note("milk")).toEqual(["milk"])
    expect(await note("bread")).toEqual(["milk", "bread"])
    expect(books.count("Opened")).toBe(1)
  })

  it("L19 is its own: two clients of one owner do not meet", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const [one, two] = await Promise.all([connect(url), connect(url)])
    expect(one.id).not.toBe(two.id)
    await one.note("mine")
    expect(await two.note("yours")).toEqual(["yours"])
  })

  it("L6 lets calls run beside each other", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { call, id, note } = await connect(url)
    const slow = call("wait", { name: "slow", ms: 60_000 }, { timeout: 60_000 })
    slow.catch(() => {})
    await books.facts.until(() => books.books.get(id)?.notes.includes("slow began") === true, "it began")
    expect(await note("quick")).toEqual(["slow began", "quick"])
  })

  it("gets what its server says by itself over the standing GET", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { client, id } = await connect(url)
    const heard = new Promise((resolve) =>
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => resolve(params.data)),
    )
    await books.facts.until(() => books.running() === 1, "it listens")
    await books.servers.run({ owner: "alice", id }, (server) =>
      server.sendLoggingMessage({ level: "info", data: "hello" }),
    )
    expect(await heard).toBe("hello")
  })

  it("answers what its server asks in the middle of a call", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { call } = await connect(url)
    expect(await call("roots")).toEqual(["file:///here"])
  })

  it("L4 ends by DELETE: its calls are aborted, its id is 404 from then on", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { call, id, transport, note } = await connect(url)
    const call1 = call("wait", { name: "long" })
    const lost = call1.catch(() => "lost")
    await books.facts.until(() => books.books.get(id)?.notes.length === 1, "it began")
    await transport.terminateSession()
    await books.closed(id)
    expect(books.reasons()).toEqual(["Ended"])
    expect(books.books.get(id)?.aborted).toEqual(["long"])
    expect((await send(url, { id, body: toolCall(1, "note", { text: "late" }) })).status).toBe(404)
    expect(await codeOf(note("without an id"))).toBe(400)
    void lost
  })

  it("L4 that ends by DELETE answers what runs with 404 where answers are plain JSON", async () => {
    const books = notebooks({ enableJsonResponse: true })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const running = send(url, { id, body: toolCall(1, "wait", { name: "long" }) })
    await books.facts.until(() => books.books.get(id)?.notes.length === 1, "it began")
    expect((await send(url, { id, method: "DELETE" })).status).toBe(200)
    expect((await running).status).toBe(404)
    await books.closed(id)
    expect(books.reasons()).toEqual(["Ended"])
  })

  it("L8 is over after its idle time; its client introduces itself again", async () => {
    const books = notebooks({ idleTimeout: 500 })
    const { url } = await serve(books.app)
    const first = await connect(url, { fetch: withoutGet })
    await first.note("milk")
    await books.closed(first.id)
    expect(books.reasons()).toEqual(["Idle"])
    expect(await codeOf(first.note("bread"))).toBe(404)
    const again = await connect(url, { fetch: withoutGet })
    expect(again.id).not.toBe(first.id)
    expect(await again.note("bread")).toEqual(["bread"])
  })

  it("L8 is in use for as long as its client listens, however quiet it is", async () => {
    const books = notebooks({ idleTimeout: 800 })
    const { url } = await serve(books.app)
    const { id, note, leave } = await connect(url)
    await note("milk")
    const other = await introduced(url)
    // Two that do not listen come and go meanwhile.
    await books.closed(other)
    await books.closed(await introduced(url))
    expect(await note("bread")).toEqual(["milk", "bread"])
    await leave()
    await books.closed(id)
  })

  it("L4 is over when its server closes itself", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { id } = await connect(url)
    await books.servers.run({ owner: "alice", id }, (server) => server.close())
    await books.closed(id)
    expect(books.reasons()).toEqual(["Ended"])
    expect((await send(url, { id, body: toolCall(1, "note", { text: "late" }) })).status).toBe(404)
  })

  it("L24 that is closed or restarted from outside is 404: its client introduces itself again", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const one = await connect(url, { fetch: withoutGet })
    const two = await connect(url, { fetch: withoutGet })
    await books.servers.close({ owner: "alice", id: one.id })
    await books.servers.restart({ owner: "alice", id: two.id })
    expect(await codeOf(one.note("late"))).toBe(404)
    expect(await codeOf(two.note("late"))).toBe(404)
    await books.facts.until(() => books.sessions() === 0, "nothing is left")
  })

  it("L24 that is restarted is 404 for who arrives while the old server goes, too, and opens the next one", async () => {
    const goes = Promise.withResolvers<void>()
    const books = notebooks({ opening: ({ onClose }) => onClose(() => goes.promise) })
    const { url } = await serve(books.app)
    const { id, note } = await connect(url, { fetch: withoutGet })
    const restarting = books.servers.restart({ owner: "alice", id })
    await books.facts.until(() => books.count("Closing") === 1, "it goes")
    const early = codeOf(note("early"))
    await books.facts.until(() => books.servers.snapshot().counts.queued === 1, "one waits for the next")
    goes.resolve()
    await restarting
    expect(await early).toBe(404)
    await books.facts.until(() => books.count("Closed") === 2, "the next one is closed at once")
    expect(books.sessions()).toBe(0)
    expect(await codeOf(note("late"))).toBe(404)
  })

  it("L5 a call that runs when it is closed is told so, on its own stream", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const post = await begin(url, { id, body: toolCall("x", "wait", { name: "long" }) })
    await books.facts.until(() => books.books.get(id)?.notes.length === 1, "it began")
    const text = post.read()
    await books.servers.close({ owner: "alice", id })
    expect(await text).toContain('"id":"x","error":{"code":-32001,"message":"Session not found"}')
    expect(books.books.get(id)?.aborted).toEqual(["long"])
  })

  it("L13 a silent call is stopped where a silence is set; its progress is a sign of life", async () => {
    const books = notebooks({ timeouts: { silence: 300 } })
    const { url } = await serve(books.app)
    const { call, id } = await connect(url)
    const steps = call("steps", { times: 6, every: 100 })
    await expect(call("wait", { name: "silent" })).rejects.toThrow("The request took too long")
    expect(books.books.get(id)?.aborted).toEqual(["silent"])
    expect(await steps).toEqual(["stepped"])
    // The standing GET rightly says nothing.
    expect(books.running()).toBe(1)
  })

  it("is not opened by who never introduces itself", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const without = await send(url, { body: toolCall(1, "note", { text: "x" }) })
    expect(without.status).toBe(400)
    expect(JSON.parse(without.body)).toEqual({
      jsonrpc: "2.0",
      error: { code: -32000, message: "Bad Request: Mcp-Session-Id header is required" },
      id: null,
    })
    const madeUp = "00000000-0000-4000-8000-000000000000"
    const unknown = await send(url, { id: madeUp, body: initialize() })
    expect(unknown.status).toBe(404)
    expect(JSON.parse(unknown.body)).toMatchObject({
      jsonrpc: "2.0",
      error: { code: -32001, message: "Session not found" },
      id: null,
    })
    expect(unknown.headers["content-type"]).toBe("application/json")
    expect(books.events).toEqual([expect.objectContaining({ _tag: "Refused", reason: "NotFound" })])
  })
})
