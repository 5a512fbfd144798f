/** With an event store: what a client has missed is kept for it, in a store of its session's own. */
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { describe, expect, it } from "vitest"
import type { EventStore } from "../src/index.ts"
import { begin, connect, introduced, notebooks, send, serve, toolCall, type Notebooks } from "./support.ts"

type Message = Parameters<EventStore["storeEvent"]>[1]

/** As in the SDK's examples: one list, and ids that say which stream. */
class Events implements EventStore {
  readonly kept: Array<{ readonly id: string; readonly stream: string; readonly message: Message }> = []
  storeEvent = async (stream: string, message: Message): Promise<string> => {
    const id = `${stream}/${this.kept.length}`
    this.kept.push({ id, stream, message })
    return id
  }
  getStreamIdForEventId = async (id: string): Promise<string | undefined> =>
    this.kept.find((one) => one.id === id)?.stream
  replayEventsAfter: EventStore["replayEventsAfter"] = async (last, { send: sendAgain }) => {
    const from = this.kept.findIndex(({ id }) => id === last)
    const stream = this.kept[from]?.stream ?? ""
    for (const { id, message, stream: of } of this.kept.slice(from + 1))
      if (of === stream && Object.keys(message).length > 0) await sendAgain(id, message)
    return stream
  }
}

const kept = () => {
  const stores = new Map<string, Events>()
  const eventStore = ({ id }: { readonly id: string }): Events => {
    const store = new Events()
    stores.set(id, store)
    return store
  }
  return { stores, eventStore }
}
const newest = { "mcp-protocol-version": "2025-11-25" }
const ended = (books: Notebooks, id: string, name: string) =>
  books.facts.until(() => books.books.get(id)?.notes.includes(`${name} ended`) === true, `${name} ended`)

describe("with an event store", () => {
  it("L5 a call goes on without its client, whose answer it fetches later", async () => {
    const { eventStore } = kept()
    const books = notebooks({ eventStore, retry: 10 })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const post = await begin(url, {
      id,
      headers: newest,
      body: toolCall(1, "wait", { name: "slow", ms: 300 }),
    })
    const first = await new Promise<string>((resolve) =>
      post.response.setEncoding("utf8").once("data", (text: string) => resolve(text)),
    )
    expect(first).toContain("retry: 10")
    post.vanish()
    await ended(books, id, "slow")
    const last = /^id: (.*)$/m.exec(first)?.[1] ?? ""
    const again = await begin(url, { method: "GET", id, headers: { ...newest, "last-event-id": last } })
    const answer = await new Promise<string>((resolve) =>
      again.response.setEncoding("utf8").once("data", (text: string) => resolve(text)),
    )
    expect(answer).toContain('"text":"waited"')
    expect(books.books.get(id)?.aborted).toEqual([])
    again.vanish()
    await books.facts.until(() => books.running() === 0, "nothing runs")
  })

  it("L5 is cancelled all the same where the host says so, at whatever moment its client leaves", async () => {
    const gate = Promise.withResolvers<void>()
    let storing = () => {}
    const isStoring = new Promise<void>((resolve) => (storing = resolve))
    const { eventStore, stores } = kept()
    const books = notebooks({ eventStore, handler: { onDisconnect: "cancel" } })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const store = stores.get(id)
    if (store === undefined) throw new Error("it has no store")
    const storeAtOnce = store.storeEvent
    // The transport keeps the beginning of a stream before it lets the request in.
    store.storeEvent = async (...args) => {
      storing()
      await gate.promise
      return storeAtOnce(...args)
    }
    const gone = new AbortController()
    const lost = fetch(url, {
      method: "POST",
      headers: {
        authorization: "Bearer token-a",
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-session-id": id,
        ...newest,
      },
      body: JSON.stringify(toolCall(1, "wait", { name: "of nobody" })),
      signal: gone.signal,
    }).catch(() => "lost")
    await isStoring
    gone.abort()
    expect(await lost).toBe("lost")
    await books.facts.until(
      () => books.events.some((event) => event._tag === "TaskEnded" && event.outcome === "cancelled"),
      "the server knows",
    )
    gate.resolve()
    await books.facts.until(() => books.running() === 0, "nothing runs")
    // It was never let in.
    expect(books.books.get(id)?.notes).toEqual([])
    expect((await send(url, { id, body: toolCall(1, "note", { text: "next" }) })).status).toBe(200)
  })

  it("L14 a stream that is resumed is ended by a drain like any other that listens", async () => {
    const { eventStore, stores } = kept()
    const books = notebooks({ eventStore })
    const { url } = await serve(books.app)
    const id = await introduced(url)
    const standing = await begin(url, { method: "GET", id, headers: newest })
    await books.facts.until(() => books.running() === 1, "it listens")
    const say = (data: string) =>
      books.servers.run({ owner: "alice", id }, (server) =>
        server.sendLoggingMessage({ level: "info", data }),
      )
    await say("one")
    standing.vanish()
    await books.facts.until(() => books.running() === 0, "it is gone")
    await say("two")
    const last = stores.get(id)?.kept.find(({ message }) => JSON.stringify(message).includes("one"))?.id ?? ""
    const again = await begin(url, { method: "GET", id, headers: { ...newest, "last-event-id": last } })
    const text = again.read()
    await books.facts.until(() => books.running() === 1, "it listens again")
    const report = await books.servers.drain({ finishWithin: "1 minute" })
    expect(report.durationMs).toBeLessThan(2000)
    expect(await text).toContain("two")
  })

  it("the SDK's client resumes by itself", async () => {
    const { eventStore } = kept()
    const books = notebooks({ eventStore, retry: 10 })
    const { url } = await serve(books.app)
    let drop = () => {}
    const { client, id } = await connect(url, {
      fetch: async (to, init) => {
        const response = await fetch(to, init)
        if (
          init?.method !== "POST" ||
          typeof init.body !== "string" ||
          !init.body.includes("slow") ||
          response.body === null
        )
          return response
        // Its connection breaks in the middle of the answer.
        const broken = new TransformStream<Uint8Array, Uint8Array>({
          start: (controller) => void (drop = () => controller.error(new Error("connection lost"))),
        })
        response.body.pipeTo(broken.writable).catch(() => {})
        return new Response(broken.readable, response)
      },
    })
    const answer = client.callTool({ name: "wait", arguments: { name: "slow", ms: 500 } })
    await books.facts.until(() => books.books.get(id)?.notes.length === 1, "it began")
    drop()
    expect(CallToolResultSchema.parse(await answer).content).toEqual([{ type: "text", text: "waited" }])
  })
})
