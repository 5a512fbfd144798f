/** Clients that leave without a word, at every moment. */
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import {
  begin,
  cancelled,
  connect,
  initialize,
  introduced,
  notebooks,
  send,
  serve,
  toolCall,
  type Notebooks,
} from "./support.ts"

const began = (books: Notebooks, id: string, ...names: ReadonlyArray<string>) =>
  books.facts.until(
    () => names.every((name) => books.books.get(id)?.notes.includes(`${name} began`) === true),
    `${names.join()} began`,
  )
const aborted = (books: Notebooks, id: string, ...names: ReadonlyArray<string>) =>
  books.facts.until(
    () => names.every((name) => books.books.get(id)?.aborted.includes(name) === true),
    `${names.join()} aborted`,
  )
const idle = (books: Notebooks) => books.facts.until(() => books.running() === 0, "nothing runs")

describe("a tool call whose client is gone", () => {
  it("L5 is aborted, and the session goes on", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const post = await begin(url, { id, body: toolCall(7, "wait", { name: "of nobody" }) })
    await began(books, id, "of nobody")
    post.vanish()
    await aborted(books, id, "of nobody")
    await idle(books)
    const next = await send(url, { id, body: toolCall(8, "note", { text: "next" }) })
    expect(next.body).toContain('"of nobody began"')
    expect(books.sessions()).toBe(1)
  })

  it("L6 keeps its id: another request with it is refused, and the first is answered", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const first = await begin(url, { id, body: toolCall(7, "wait", { name: "first", ms: 400 }) })
    await began(books, id, "first")
    const second = await send(url, { id, body: toolCall(7, "note", { text: "second" }) })
    expect(second.status).toBe(400)
    expect(JSON.parse(second.body)).toMatchObject({ error: { code: -32000 }, id: null })
    expect(await first.read()).toContain('"text":"waited"')
    expect(books.books.get(id)?.notes).toEqual(["first began", "first ended"])
    expect((await send(url, { id, body: toolCall(7, "note", { text: "third" }) })).status).toBe(200)
  })

  it("L5 is aborted as the SDK's own client leaves", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { call, id, leave } = await connect(url)
    const lost = call("wait", { name: "of nobody" }).catch(() => "lost")
    await began(books, id, "of nobody")
    await leave()
    await aborted(books, id, "of nobody")
    expect(await lost).toBe("lost")
  })

  // modelcontextprotocol/typescript-sdk#2283: a client that takes up a session again begins to count at 0.
  for (const requestId of [0, ""]) {
    it(`L5 is aborted with the id ${JSON.stringify(requestId)}, too, which the SDK takes for none`, async () => {
      const books = notebooks()
      const { url } = await serve(books.app)
      const id = await introduced(url)
      const post = await begin(url, { id, body: toolCall(requestId, "wait", { name: "of nobody" }) })
      await began(books, id, "of nobody")
      post.vanish()
      await aborted(books, id, "of nobody")
      const answer = await send(url, { id, body: toolCall(requestId, "note", { text: "next" }) })
      expect(answer.body).toContain(`"id":${JSON.stringify(requestId)}}`)
    })
  }

  it("L5 is aborted in a batch with all the others, but only with those of its own POST", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const other = await begin(url, { id, body: toolCall("other", "wait", { name: "other" }) })
    const batch = await begin(url, {
      id,
      body: [
        toolCall(1, "wait", { name: "one" }),
        toolCall(2, "note", { text: "quick" }),
        toolCall("3", "wait", { name: "three" }),
        { jsonrpc: "2.0", method: "notifications/roots/list_changed" },
      ],
    })
    await began(books, id, "other", "one", "three")
    batch.vanish()
    await aborted(books, id, "one", "three")
    await books.facts.until(() => books.running() === 1, "only the other one runs")
    expect(books.books.get(id)?.aborted.toSorted()).toEqual(["one", "three"])
    other.vanish()
    await aborted(books, id, "other")
  })

  it("L5 is aborted where answers are plain JSON", async () => {
    const books = notebooks({ enableJsonResponse: true })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const whole = begin(url, { id, body: toolCall(1, "wait", { name: "of nobody" }) })
    whole.catch(() => {})
    const gone = new AbortController()
    const lost = fetch(url, {
      method: "POST",
      headers: {
        authorization: "Bearer token-a",
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-session-id": id,
      },
      body: JSON.stringify(toolCall(2, "wait", { name: "aborted" })),
      signal: gone.signal,
    }).catch(() => "lost")
    await began(books, id, "of nobody", "aborted")
    gone.abort()
    expect(await lost).toBe("lost")
    await aborted(books, id, "aborted")
    expect(books.books.get(id)?.aborted).toEqual(["aborted"])
    await books.facts.until(() => books.running() === 1, "the other one runs")
  })

  it("L5 goes on where the host says so, and holds the session until it has ended", async () => {
    const books = notebooks({ handler: { onDisconnect: "continue" }, idleTimeout: 500 })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const post = await begin(url, { id, body: toolCall(1, "wait", { name: "on its own", ms: 1200 }) })
    await began(books, id, "on its own")
    post.vanish()
    await books.closed(id)
    expect(books.books.get(id)).toMatchObject({
      aborted: [],
      notes: ["on its own began", "on its own ended"],
    })
    expect(books.reasons()).toEqual(["Idle"])
  })

  it("L5 is not aborted when its answer is complete, nor when another request of its client breaks off", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const listening = await begin(url, { method: "GET", id })
    const long = await begin(url, { id, body: toolCall(1, "wait", { name: "long" }) })
    await began(books, id, "long")
    const done = await begin(url, { id, body: toolCall(2, "note", { text: "done" }) })
    expect(await done.ended()).toBe(true)
    done.response.socket.destroy()
    listening.vanish()
    await books.facts.until(() => books.running() === 1, "only the long one runs")
    expect(books.books.get(id)?.aborted).toEqual([])
    long.vanish()
    await aborted(books, id, "long")
  })
})

describe("a call that its client cancels", () => {
  it("L5 ends its POST, which the SDK leaves open, so that the session can become idle", async () => {
    const books = notebooks({ idleTimeout: 500 })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const post = await begin(url, { id, body: toolCall(5, "wait", { name: "cancelled" }) })
    await began(books, id, "cancelled")
    const text = post.read()
    expect((await send(url, { id, body: cancelled(5) })).status).toBe(202)
    expect(await text).not.toContain("data:")
    await aborted(books, id, "cancelled")
    await books.closed(id)
    expect(books.reasons()).toEqual(["Idle"])
  })

  it("L5 in a batch leaves the others their answers", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const batch = await begin(url, {
      id,
      body: [toolCall(0, "wait", { name: "cancelled" }), toolCall(1, "wait", { name: "stays", ms: 300 })],
    })
    await began(books, id, "cancelled", "stays")
    const text = batch.read()
    await send(url, { id, body: cancelled(0) })
    const read = await text
    expect(read).toContain('"id":1')
    expect(read).not.toContain('"id":0')
    expect(books.books.get(id)?.aborted).toEqual(["cancelled"])
    await idle(books)
  })

  it("L5 is answered in plain JSON, where nothing else ends it", async () => {
    const books = notebooks({ enableJsonResponse: true })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const answer = send(url, { id, body: toolCall(5, "wait", { name: "cancelled" }) })
    await began(books, id, "cancelled")
    await send(url, { id, body: cancelled(5) })
    expect(JSON.parse((await answer).body)).toEqual({
      jsonrpc: "2.0",
      id: 5,
      error: { code: -32000, message: "The request was cancelled." },
    })
    await idle(books)
  })

  it("L5 leaves nothing of itself in the SDK's transport, nor does one whose client is gone", async () => {
    const spied = vi.spyOn(StreamableHTTPServerTransport.prototype, "handleRequest")
    onTestFinished(() => spied.mockRestore())
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    for (const requestId of ["a", 0, ""]) {
      const name = `cancelled ${requestId}`
      const post = await begin(url, {
        id,
        body: [toolCall(requestId, "wait", { name }), toolCall(7, "note", { text: "" })],
      })
      await began(books, id, name)
      const ended = post.ended()
      await send(url, { id, body: cancelled(requestId) })
      expect(await ended).toBe(true)
    }
    const gone = await begin(url, {
      id,
      body: [toolCall(8, "wait", { name: "gone" }), toolCall(9, "note", { text: "" })],
    })
    await began(books, id, "gone")
    gone.vanish()
    await aborted(books, id, "gone")
    await idle(books)
    const noted = [...new Set(spied.mock.contexts)].flatMap((transport) => {
      const inner: unknown = Reflect.get(transport as object, "_webStandardTransport")
      if (typeof inner !== "object" || inner === null) throw new Error("the SDK keeps it elsewhere")
      return ["_streamMapping", "_requestToStreamMapping", "_requestResponseMap"].map((name) => {
        const kept: unknown = Reflect.get(inner, name)
        if (!(kept instanceof Map)) throw new Error(`the SDK has no ${name}`)
        return kept.size
      })
    })
    expect(noted).toEqual([0, 0, 0])
  })

  it("L5 by the SDK's client leaves nothing running", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { call, id, note } = await connect(url)
    const stop = new AbortController()
    const lost = call("wait", { name: "cancelled" }, { signal: stop.signal }).catch(() => "lost")
    await began(books, id, "cancelled")
    stop.abort()
    expect(await lost).toBe("lost")
    await aborted(books, id, "cancelled")
    await books.facts.until(() => books.running() === 1, "it listens, and nothing else")
    expect(await note("next")).toEqual(["cancelled began", "next"])
  })
})

describe("a client that leaves while it introduces itself", () => {
  it("L1 before its server is made leaves no session", async () => {
    const made = Promise.withResolvers<void>()
    let asked = () => {}
    const asking = new Promise<void>((resolve) => (asked = resolve))
    const books = notebooks({
      opening: () => {
        asked()
        return made.promise
      },
    })
    const { url } = await serve(books.app)
    const gone = new AbortController()
    const lost = fetch(url, {
      method: "POST",
      headers: {
        authorization: "Bearer token-a",
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
      },
      body: JSON.stringify(initialize()),
      signal: gone.signal,
    }).catch(() => "lost")
    await asking
    gone.abort()
    expect(await lost).toBe("lost")
    await books.facts.until(() => books.servers.snapshot().counts.Opening === 0, "the opening was given up")
    made.resolve()
    await books.facts.until(() => books.servers.snapshot().sessions.length === 0, "nothing is left")
    expect(books.count("Opened")).toBe(0)
  })

  it("L1 before it has its id leaves no session, whatever the idle time", async () => {
    const books = notebooks({ idleTimeout: "Infinity" })
    let leave = () => {}
    const app = (await import("express")).default()
    // Its connection is gone in the moment in which the answer is written.
    app.use((req, res, next) => {
      const write = res.writeHead.bind(res) as (...args: ReadonlyArray<unknown>) => typeof res
      res.writeHead = ((...args: ReadonlyArray<unknown>) => {
        leave()
        return write(...args)
      }) as typeof res.writeHead
      leave = () => req.socket.destroy()
      next()
    })
    app.use(books.app)
    const { url } = await serve(app)
    await send(url, { body: initialize() }).catch(() => {})
    await books.facts.until(() => books.count("Closed") === 1, "it is closed")
    expect(books.sessions()).toBe(0)
  })
})

describe("a standing GET", () => {
  it("L5, L8 whose connection is dropped ends at once, and the session after the idle time", async () => {
    const books = notebooks({ idleTimeout: 500 })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const listening = await begin(url, { method: "GET", id })
    expect(listening.response.headers["content-type"]).toBe("text/event-stream")
    await books.facts.until(() => books.running() === 1, "it listens")
    listening.vanish()
    await books.closed(id)
    expect(books.reasons()).toEqual(["Idle"])
  })

  it(
    "L8 of a client that answers no ping is taken for gone; one that answers stays",
    { timeout: 20_000 },
    async () => {
      const books = notebooks({ idleTimeout: 500, ping: 1000 })
      const { url } = await serve(books.app)
      const there = await connect(url)
      const id = await introduced(url)
      // A connection that is open, and nobody behind it.
      const halfOpen = await begin(url, { method: "GET", id })
      const text: Array<string> = []
      halfOpen.response.setEncoding("utf8").on("data", (chunk: string) => text.push(chunk))
      await books.closed(id)
      expect(text.join("")).toContain('"method":"ping"')
      expect(await halfOpen.ended()).toBe(false)
      expect(await there.note("still here")).toEqual(["still here"])
      expect(books.sessions()).toBe(1)
    },
  )

  it("L8 takes the place of one before it, whose client may be gone without the server's knowing", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const old = await begin(url, { method: "GET", id })
    await books.facts.until(() => books.running() === 1, "it listens")
    const newer = await begin(url, { method: "GET", id })
    expect(newer.status).toBe(200)
    expect(await old.ended()).toBe(true)
    await books.facts.until(() => books.running() === 1, "only the newer one listens")
    const text = newer.read()
    await books.servers.run({ owner: "alice", id }, (server) =>
      server.sendLoggingMessage({ level: "info", data: "hello" }),
    )
    await books.servers.close({ owner: "alice", id })
    expect(await text).toContain('"data":"hello"')
  })

  it("L21 that is stuck, and has lost its place, ends nothing when it goes at last", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    // Reads nothing.
    const stuck = await begin(url, { method: "GET", id })
    await books.facts.until(() => books.running() === 1, "it listens")
    const say = (data: string) =>
      books.servers.run({ owner: "alice", id }, (server) =>
        server.sendLoggingMessage({ level: "info", data }),
      )
    for (let n = 0; n < 20; n++) await say("x".repeat(1_000_000))
    const newer = await begin(url, { method: "GET", id })
    await books.facts.until(() => books.running() === 2, "one is stuck, one listens")
    stuck.vanish()
    await books.facts.until(() => books.running() === 1, "the stuck one is gone")
    const text = newer.read()
    await say("hello")
    await books.servers.close({ owner: "alice", id })
    expect(await text).toContain('"data":"hello"')
  })

  it("that is not acceptable ends no other", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const good = await begin(url, { method: "GET", id })
    expect((await send(url, { method: "GET", id, headers: { accept: "text/html" } })).status).toBe(406)
    expect(books.running()).toBe(1)
    good.vanish()
  })
})
