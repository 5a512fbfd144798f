import { describe, expect, it } from "vitest"
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
} from "./support.ts"

describe("a drain", () => {
  it("L14 ends standing GETs at once, and does not wait for them", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const ids = await Promise.all(Array.from({ length: 20 }, () => introduced(url)))
    const listening = await Promise.all(ids.map((id) => begin(url, { method: "GET", id })))
    await books.facts.until(() => books.running() === 20, "all listen")
    const report = await books.servers.drain({ finishWithin: "1 minute" })
    expect(report).toMatchObject({ closed: 20, cut: [], leaked: [] })
    expect(report.durationMs).toBeLessThan(2000)
    expect(await Promise.all(listening.map(({ ended }) => ended()))).toEqual(ids.map(() => true))
    const late = await send(url, { body: initialize() })
    expect(late.status).toBe(503)
    expect(JSON.parse(late.body)).toMatchObject({ error: { data: { reason: "Draining" } }, id: null })
  })

  it("L4, L14 abandons a server whose resources do not close, says so, and still ends", async () => {
    const hangs = Promise.withResolvers<void>()
    const books = notebooks({
      opening: ({ onClose }) => onClose(() => hangs.promise),
      timeouts: { close: 300 },
    })
    const { url } = await serve(books.app)
    await introduced(url)
    await books.facts.until(() => books.running() === 0, "introduced")
    expect(await books.servers.drain()).toMatchObject({ closed: 1, cut: [], leaked: [{ generation: 1 }] })
    hangs.resolve()
  })

  it("L14 lets a call finish that asks its client something: the client's answer still gets through", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const post = await begin(url, { id, body: toolCall("ask", "roots") })
    const [asked] = await new Promise<ReadonlyArray<string>>((resolve) =>
      post.response.setEncoding("utf8").once("data", (text: string) => resolve([text])),
    )
    const question = JSON.parse(/^data: (.*)$/m.exec(asked ?? "")?.[1] ?? "{}") as { id: number }
    const drained = books.servers.drain({ finishWithin: "10 seconds" })
    const rest = post.read()
    const answer = await send(url, {
      id,
      body: { jsonrpc: "2.0", id: question.id, result: { roots: [{ uri: "file:///there" }] } },
    })
    expect(answer.status).toBe(202)
    expect(await rest).toContain("file:///there")
    expect(await drained).toMatchObject({ finished: 1, cut: [], closed: 1 })
  })

  it("L14 is not held by a call that its client cancels, nor by one that is ended by DELETE", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const [one, two] = [await introduced(url), await introduced(url)]
    const posts = [
      await begin(url, { id: one, body: toolCall(1, "wait", { name: "cancelled" }) }),
      await begin(url, { id: two, body: toolCall(1, "wait", { name: "deleted" }) }),
    ]
    for (const post of posts) void post.ended()
    const drained = books.servers.drain({ finishWithin: "1 minute" })
    expect((await send(url, { id: one, body: cancelled(1) })).status).toBe(202)
    expect((await send(url, { id: two, method: "DELETE" })).status).toBe(200)
    expect(await drained).toMatchObject({ cut: [], closed: 2 })
    expect(books.books.get(one)?.aborted).toEqual(["cancelled"])
    expect(books.books.get(two)?.aborted).toEqual(["deleted"])
  })

  it("L14 knows nothing of a session that is over before the others", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const [busy, over] = [await introduced(url), await introduced(url)]
    const post = await begin(url, { id: busy, body: toolCall(1, "wait", { name: "busy" }) })
    const drained = books.servers.drain({ finishWithin: "1 minute" })
    await books.closed(over)
    // Refused like any new work: it is no longer among those that are live.
    expect((await send(url, { id: over, method: "DELETE" })).status).toBe(503)
    expect((await send(url, { id: busy, method: "DELETE" })).status).toBe(200)
    await Promise.all([post.ended(), drained])
  })

  it("L14 refuses new calls of a session that is still busy", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const post = await begin(url, { id, body: toolCall(1, "wait", { name: "busy", ms: 500 }) })
    const drained = books.servers.drain({ finishWithin: "10 seconds" })
    expect((await send(url, { id, body: toolCall(2, "note", { text: "late" }) })).status).toBe(503)
    expect((await send(url, { id, method: "GET" })).status).toBe(503)
    expect(await post.read()).toContain("waited")
    await drained
  })

  it("L14 cuts what has not ended in its time: the tool is aborted, its client told", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const { call, id } = await connect(url)
    const cut = call("wait", { name: "long" })
    const told = cut.then(
      () => "answered",
      (error: unknown) => String(error),
    )
    await books.facts.until(() => books.books.get(id)?.notes.length === 1, "it began")
    const report = await books.servers.drain({ finishWithin: 100 })
    expect(await told).toContain("The session is not available now")
    expect(report.cut.map(({ name }) => name)).toEqual(["tools/call"])
    expect(books.books.get(id)?.aborted).toEqual(["long"])
  })
})
