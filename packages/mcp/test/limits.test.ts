import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { describe, expect, it } from "vitest"
import { begin, connect, initialize, introduced, notebooks, send, serve } from "./support.ts"

describe("how many there may be", () => {
  it("L9 one owner's longest idle session makes room for its next one", async () => {
    const books = notebooks({ maxPerOwner: 2 })
    const { url } = await serve(books.app)
    const ids = [await introduced(url), await introduced(url), await introduced(url)]
    await books.closed(ids[0] ?? "")
    expect(books.reasons()).toEqual(["Evicted"])
    expect(books.sessions()).toBe(2)
  })

  it("L9 an owner all of whose sessions are in use is refused: 429 with Retry-After, which the SDK's client is told", async () => {
    const books = notebooks({ maxPerOwner: 1, timeouts: { seat: 50 } })
    const { url } = await serve(books.app)
    const first = await connect(url)
    await books.facts.until(() => books.running() === 1, "it listens")
    const refused = await send(url, { body: initialize() })
    expect(refused.status).toBe(429)
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0)
    expect(refused.headers["content-type"]).toBe("application/json")
    expect(refused.headers["mcp-session-id"]).toBeUndefined()
    expect(JSON.parse(refused.body)).toEqual({
      jsonrpc: "2.0",
      id: null,
      error: {
        code: -32000,
        message: "You have as many sessions as you may have.",
        data: { tag: "SessionRefused", reason: "MaxPerOwner" },
      },
    })
    const error: unknown = await connect(url).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(StreamableHTTPError)
    expect((error as StreamableHTTPError).code).toBe(429)
    // Another owner has room.
    await connect(url, { token: "token-b" })
    expect(await first.note("still here")).toEqual(["still here"])
  })

  it("L9 where all are in use, everyone is refused: 503", async () => {
    const books = notebooks({ maxSessions: 1, timeouts: { seat: 50 } })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const listening = await begin(url, { method: "GET", id })
    await books.facts.until(() => books.running() === 1, "it listens")
    const refused = await send(url, { body: initialize(), token: "token-b" })
    expect(refused.status).toBe(503)
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: -32000 }, id: null })
    await expect(connect(url, { token: "token-b" })).rejects.toMatchObject({ code: 503 })
    listening.vanish()
    await books.facts.until(() => books.running() === 0, "it listens no more")
    await connect(url, { token: "token-b" })
    expect(books.reasons()).toEqual(["Evicted"])
  })

  it("has a default for one owner: twenty", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    for (let n = 0; n < 25; n++) await introduced(url)
    await books.facts.until(() => books.count("Closed") === 5, "five made room")
    expect(books.sessions()).toBe(20)
  })

  it("L10 a server that cannot be made is 503, and says nothing of why", async () => {
    const reports: Array<object> = []
    const books = notebooks({
      opening: () => Promise.reject(new Error("secret reason")),
      handler: {
        report: ({ status, tag, reason, session }) => reports.push({ status, tag, reason, session }),
      },
    })
    const { url } = await serve(books.app)
    const refused = await send(url, { body: initialize() })
    expect(refused.status).toBe(503)
    expect(refused.body).not.toContain("secret")
    expect(reports).toEqual([
      {
        status: 503,
        tag: "SessionOpenFailed",
        reason: "Failed",
        session: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    ])
  })
})
