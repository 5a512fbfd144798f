/** A session is its owner's: another subject's id reaches nothing, and is no different from one that was never issued. */
import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { begin, cancelled, introduced, notebooks, send, serve, toolCall } from "./support.ts"

describe("another owner's session id", () => {
  it("reaches nothing, by any method, and answers as an unknown id does", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url, "token-a")
    await send(url, { id, body: toolCall(1, "note", { text: "private" }) })
    const running = await begin(url, { id, body: toolCall(2, "wait", { name: "hers" }) })
    const events = books.events.length
    const unknown = randomUUID()
    const tries = [
      { body: toolCall(3, "note", { text: "intruded" }) },
      { body: cancelled(2) },
      { body: { jsonrpc: "2.0", id: 0, result: { roots: [] } } },
      { method: "GET" },
      { method: "GET", headers: { "last-event-id": "x" } },
      { method: "DELETE" },
    ]
    for (const one of tries) {
      const [theirs, none] = [
        await send(url, { ...one, id, token: "token-b" }),
        await send(url, { ...one, id: unknown, token: "token-b" }),
      ]
      expect(theirs.status).toBe(404)
      expect({ ...theirs, headers: { ...theirs.headers, date: "" } }).toEqual({
        ...none,
        headers: { ...none.headers, date: "" },
      })
    }
    expect(books.events.slice(events).every((event) => event._tag === "Refused")).toBe(true)
    expect(books.books.get(id)).toMatchObject({ notes: ["private", "hers began"], aborted: [] })
    expect(books.books.size).toBe(1)
    const own = await send(url, { id, body: toolCall(4, "note", { text: "still hers" }) })
    expect(own.body).toContain("still hers")
    running.vanish()
  })

  it("reaches nothing while the registry drains, when answers and cancellations still get through", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url, "token-a")
    const running = await begin(url, { id, body: toolCall(1, "wait", { name: "hers", ms: 300 }) })
    const drained = books.servers.drain()
    const theirs = [
      await send(url, { id, body: cancelled(1), token: "token-b" }),
      await send(url, { id, method: "DELETE", token: "token-b" }),
    ]
    // Refused as new work; which says nothing of the id.
    expect(theirs.map(({ status }) => status)).toEqual([503, 503])
    expect(await running.read()).toContain("waited")
    expect((await drained).finished).toBe(1)
  })

  it("no owner is 401, before anything else is looked at", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    for (const token of ["", "forged"]) {
      for (const raw of [
        { id, body: toolCall(1, "note") },
        { id, method: "DELETE" },
        { body: {} },
        { id: "x" },
      ]) {
        const answer = await send(url, { ...raw, token })
        expect(answer.status).toBe(401)
        expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32000 } })
      }
    }
    expect(books.sessions()).toBe(1)
  })

  it("an owner too long for a key opens nothing", async () => {
    const books = notebooks({ handler: { owner: () => "x".repeat(600) } })
    const { url } = await serve(books.app)
    const answer = await send(url, { body: { jsonrpc: "2.0", id: 0, method: "initialize" } })
    expect(answer.status).toBe(400)
    expect(books.events).toEqual([])
  })
})

describe("the run of servers", () => {
  it("never opens, and reaches only the key's own session", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url, "token-a")
    const missing = { name: "SessionRefused", reason: "NotFound" }
    await expect(books.servers.run({ owner: "bob", id }, () => 1)).rejects.toMatchObject(missing)
    await expect(books.servers.run({ owner: "alice", id: "other" }, () => 1)).rejects.toMatchObject(missing)
    expect(await books.servers.run({ owner: "alice", id }, (server) => server.isConnected())).toBe(true)
    const [live] = books.servers.snapshot().sessions
    if (live === undefined) throw new Error("none is live")
    expect(await books.servers.run(live.session, () => "by its ref")).toBe("by its ref")
    expect(books.count("Opened")).toBe(1)
  })
})
