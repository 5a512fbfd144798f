import { createSessions, type Policy, type SessionEvent, type Sessions } from "@sojourn/core"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2"
import type { AddressInfo, Server } from "node:net"
import type { Writable } from "node:stream"
import { onTestFinished } from "vitest"
import type { NodeResponse } from "../src/index.ts"

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  return (server.address() as AddressInfo).port
}

/** Serves on a free loopback port until the test ends; gives its address. */
export const serve = async (
  handle: (req: IncomingMessage, res: ServerResponse) => unknown,
): Promise<string> => {
  const server = createServer((req, res) => void handle(req, res))
  const port = await listen(server)
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${port}`
}

/** The same over HTTP/2, without encryption. */
export const serveHttp2 = async (
  handle: (req: Http2ServerRequest, res: Http2ServerResponse) => unknown,
): Promise<string> => {
  const server = createHttp2Server((req, res) => void handle(req, res))
  const sockets = new Set<{ destroy: () => void }>()
  server.on("connection", (socket) => void sockets.add(socket))
  const port = await listen(server)
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${port}`
}

/** What both have. Their types cannot be called where they are in doubt. */
export const writable = (res: NodeResponse): Writable => res

type Plain = Sessions<{ readonly key: string }>
let made = 0

/** A registry with nothing to it, drained when the test ends. */
export const registry = (policy: Policy = {}): Plain => {
  const sessions: Plain = createSessions({
    ...policy,
    name: `http-test-${made++}`,
    open: ({ key }) => ({ key }),
  })
  onTestFinished(async () => void (await sessions.drain({ finishWithin: 0 })))
  return sessions
}

/** Resolves at the first such event from now on. */
export const next = <T extends SessionEvent["_tag"]>(sessions: Pick<Plain, "subscribe">, tag: T) =>
  new Promise<Extract<SessionEvent, { readonly _tag: T }>>((resolve) => {
    const subscription = sessions.subscribe((event) => {
      if (event._tag !== tag) return
      subscription()
      resolve(event as Extract<SessionEvent, { readonly _tag: T }>)
    })
  })

/** The elements of a stream that come when the test says so. It ends at once when it is told to stop. */
export class Source<A> {
  readonly #steps: Array<() => IteratorResult<A>> = []
  #wake: () => void = () => {}
  /** How many elements were asked for. */
  asked = 0
  /** Resolves when it is being waited for. */
  waiting = Promise.withResolvers<void>()

  give(...elements: ReadonlyArray<A>): void {
    for (const value of elements) this.#steps.push(() => ({ done: false, value }))
    this.#wake()
  }
  end(): void {
    this.#steps.push(() => ({ done: true, value: undefined }))
    this.#wake()
  }
  fail(error: unknown): void {
    this.#steps.push(() => {
      throw error
    })
    this.#wake()
  }

  readonly read = (_resource: unknown, { signal }: { readonly signal: AbortSignal }): AsyncIterable<A> => ({
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        this.asked++
        while (this.#steps.length === 0) {
          if (signal.aborted) throw signal.reason
          const { promise, resolve } = Promise.withResolvers<void>()
          this.#wake = resolve
          signal.addEventListener("abort", () => resolve(), { once: true })
          this.waiting.resolve()
          await promise
          this.waiting = Promise.withResolvers()
        }
        return this.#steps.shift()?.() ?? { done: true, value: undefined }
      },
    }),
  })
}

/** All that an iterator still gives. */
export const rest = async <A>(iterable: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const one of iterable) all.push(one)
  return all
}

/** What a browser makes of an event stream, as the HTML standard says. */
export interface ServerSent {
  readonly event: string
  readonly data: string
  readonly lastEventId: string
}
export const parseEvents = (text: string): ReadonlyArray<ServerSent> => {
  const events: Array<ServerSent> = []
  let [event, lastEventId] = ["message", ""]
  let data: Array<string> = []
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (line === "") {
      if (data.length > 0) events.push({ event, data: data.join("\n"), lastEventId })
      event = "message"
      data = []
    } else if (field === "data") data.push(value)
    else if (field === "event") event = value
    else if (field === "id" && !value.includes("\0")) lastEventId = value
  }
  return events
}
