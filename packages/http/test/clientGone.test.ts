import { once } from "node:events"
import { Agent, request, type IncomingMessage, type ServerResponse } from "node:http"
import { connect as connectHttp2 } from "node:http2"
import { onTestFinished, describe, expect, test } from "vitest"
import { clientGone, hasLeft, isClientGone, isClosed, presenceOf, type NodeResponse } from "../src/index.ts"
import { serve, serveHttp2, writable } from "./support.ts"

type Handle = (req: unknown, res: NodeResponse) => unknown
interface Client {
  /** Resolves when the head of the answer is there. */
  readonly head: Promise<unknown>
  readonly leave: () => void
  readonly complete: Promise<unknown>
}
interface Protocol {
  readonly serve: (handle: Handle) => Promise<string>
  /** Reads the answer only if told to. */
  readonly ask: (url: string, read: boolean) => Client
}

const http1: Protocol = {
  serve,
  ask: (url, read) => {
    const asking = request(url).end()
    asking.on("error", () => {})
    const head = once(asking, "response") as Promise<[IncomingMessage]>
    const readIt = async (): Promise<void> => {
      const [response] = await head
      response.on("error", () => {})
      if (read) await once(response.resume(), "close")
    }
    const complete = readIt()
    complete.catch(() => {})
    return { head, complete, leave: () => asking.destroy() }
  },
}
const http2: Protocol = {
  serve: serveHttp2,
  ask: (url, read) => {
    const session = connectHttp2(url)
    session.on("error", () => {})
    onTestFinished(() => session.destroy())
    const asking = session.request({ ":path": "/" })
    asking.on("error", () => {})
    const complete = read ? once(asking.resume(), "close") : Promise.resolve()
    return { head: once(asking, "response"), complete, leave: () => asking.close(8) }
  },
}

describe.for<readonly [string, Protocol]>([
  ["HTTP/1.1", http1],
  ["HTTP/2", http2],
])("%s", ([, { serve: serveIt, ask }]) => {
  const arrival = async () => {
    const arrived = Promise.withResolvers<NodeResponse>()
    const url = await serveIt((_req, res) => arrived.resolve(res))
    return { url, arrived: arrived.promise }
  }

  test("L5: a client that leaves before the answer is complete aborts the signal, whose reason says so", async () => {
    const { url, arrived } = await arrival()
    const client = ask(url, false)
    const res = await arrived
    const signal = clientGone(res)
    writable(res).write("a part")
    await client.head
    expect([signal.aborted, isClosed(res), hasLeft(res)]).toEqual([false, false, false])
    client.leave()
    await once(signal, "abort")
    expect([isClosed(res), hasLeft(res)]).toEqual([true, true])
    expect(signal.reason).toMatchObject({ name: "AbortError" })
    expect(isClientGone(res, signal.reason)).toBe(true)
    expect(isClientGone(res, new DOMException("another", "AbortError"))).toBe(false)
  })

  test("L5: an answer that is complete aborts nothing, though its connection closes later", async () => {
    const { url, arrived } = await arrival()
    const client = ask(url, true)
    const res = await arrived
    const signal = clientGone(res)
    const closed = once(res, "close")
    res.end("all of it")
    await client.complete
    await closed
    client.leave()
    expect([signal.aborted, isClosed(res), hasLeft(res)]).toEqual([false, true, false])
    // Asked for late, it is none either.
    expect(isClientGone(res, signal.reason)).toBe(false)
  })

  test("L5: one that leaves before all that was written has reached it has left, though the answer was ended", async () => {
    const { url, arrived } = await arrival()
    const client = ask(url, false)
    const res = await arrived
    const signal = clientGone(res)
    res.end(Buffer.alloc(64 * 1024 * 1024))
    await client.head
    client.leave()
    await once(signal, "abort")
    expect(hasLeft(res)).toBe(true)
  })

  test("L5: of one that has left already the signal is aborted at once", async () => {
    const { url, arrived } = await arrival()
    const client = ask(url, false)
    const res = await arrived
    const closed = once(res, "close")
    writable(res).write("a part")
    await client.head
    client.leave()
    await closed
    expect(clientGone(res).aborted).toBe(true)
  })

  test("however often it is asked for, there is one signal and one listener", async () => {
    const { url, arrived } = await arrival()
    ask(url, false)
    const res = await arrived
    const before = res.listenerCount("close")
    const signals = Array.from({ length: 20 }, () => clientGone(res))
    expect(new Set(signals).size).toBe(1)
    expect(res.listenerCount("close")).toBe(before + 1)
    expect(isClientGone(res, undefined)).toBe(false)
  })

  test("L5: the presence tells each of its listeners once, none that was taken away, and its signal has the same reason", async () => {
    const { url, arrived } = await arrival()
    const client = ask(url, false)
    const presence = presenceOf(await arrived)
    const told: Array<string> = []
    const listeners = ["one", "two", "three", "gone"].map((name) => () => void told.push(name))
    for (const listener of listeners) presence.addEventListener("abort", listener)
    presence.removeEventListener("abort", listeners[3] ?? (() => {}))
    presence.removeEventListener("abort", listeners[0] ?? (() => {}))
    presence.addEventListener("abort", () => told.push("late"))
    const res = await arrived
    const other = presenceOf(res)
    const signal = clientGone(res)
    expect([presence.aborted, other.aborted, signal.aborted]).toEqual([false, false, false])
    client.leave()
    await once(signal, "abort")
    expect([presence.aborted, other.aborted, signal.reason]).toEqual([true, true, presence.reason])
    expect(other.reason).toBe(presence.reason)
    expect(told.toSorted()).toEqual(["late", "three", "two"])
  })
})

test("L19: two answers on one connection are two clients", async () => {
  const answers: Array<ServerResponse> = []
  const url = await serve((_req, res) => {
    answers.push(res)
    clientGone(res)
    if (answers.length === 1) res.end("first")
    else res.write("second")
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const [first] = (await once(request(url, { agent }).end(), "response")) as [IncomingMessage]
  await once(first.resume(), "end")
  const asking = request(url, { agent }).end()
  asking.on("error", () => {})
  const [second] = (await once(asking, "response")) as [IncomingMessage]
  second.on("error", () => {})
  const [one, other] = answers as [ServerResponse, ServerResponse]
  expect(other.req.socket).toBe(one.req.socket)
  asking.destroy()
  await once(clientGone(other), "abort")
  expect(clientGone(one).aborted).toBe(false)
})
