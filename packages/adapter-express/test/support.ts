import { createSessions, type SessionEvent } from "@sojourn/core"
import { once } from "node:events"
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from "node:http"
import { connect, type AddressInfo, type Socket } from "node:net"
import { onTestFinished } from "vitest"

/** Serves the app on a free loopback port until the test ends; gives its address. */
export const listen = async (app: RequestListener): Promise<string> => {
  const server = createServer(app)
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A resource that knows whose it is and counts its turns. */
export interface Counter {
  readonly key: string
  readonly id: string
  readonly owner: string | undefined
  turns: number
}
export type Counters = ReturnType<typeof createSessions<Counter>>

let made = 0
/** A registry of counters, with the list of what was opened; drained when the test ends. */
export const counters = (
  policy: Omit<Parameters<typeof createSessions<Counter>>[0], "name" | "open"> = {},
) => {
  const opened: Array<string> = []
  const sessions: Counters = createSessions({
    name: `express-test-${made++}`,
    open: ({ key, id, owner }): Counter => {
      opened.push(key)
      return { key, id, owner, turns: 0 }
    },
    ...policy,
  })
  onTestFinished(async () => void (await sessions.drain({ finishWithin: 0 })))
  return { sessions, opened }
}

/** Resolves at the first such event from now on. */
export const next = <T extends SessionEvent["_tag"]>(sessions: Counters, tag: T) =>
  new Promise<Extract<SessionEvent, { readonly _tag: T }>>((resolve) => {
    const subscription = sessions.subscribe((event) => {
      if (event._tag !== tag) return
      subscription()
      resolve(event as Extract<SessionEvent, { readonly _tag: T }>)
    })
  })

/** A browser as far as these tests need one: it keeps its cookies, by name, until they are taken away. */
export class Browser {
  readonly cookies = new Map<string, string>()
  get cookie(): string | undefined {
    return this.cookies.size === 0
      ? undefined
      : [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ")
  }
  async visit(
    url: string,
    init: { readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    const cookie = this.cookie === undefined ? {} : { cookie: this.cookie }
    const response = await fetch(url, { headers: { ...cookie, ...init.headers } })
    for (const set of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(set) ?? []
      if (/; Max-Age=0(?:;|$)/.test(set)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }
}

/** A request whose path and headers are sent as they are; `fetch` would tidy them up. */
export const raw = (url: string, path: string, headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    httpRequest({ hostname, port, path, headers }, (response: IncomingMessage) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on("error", reject)
      .end()
  })

/** A connection of its own, to say word for word what is sent. */
export const connection = async (url: string): Promise<Socket> => {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  await once(socket, "connect")
  return socket
}

/** An answer whose body is not read until somebody asks for it. */
export const open = async (
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingMessage> => {
  const client = httpRequest(url, { headers, agent: false }).end()
  const [response] = (await once(client, "response")) as [IncomingMessage]
  onTestFinished(() => void response.destroy())
  return response
}

/** The events of a `text/event-stream` answer, as far as it has come; comments as field "". */
export const events = async function* (
  response: Response | IncomingMessage,
): AsyncGenerator<Record<string, string>> {
  const body: AsyncIterable<Uint8Array> =
    "body" in response ? (response.body ?? new ReadableStream()) : response
  let text = ""
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split("\n\n")
    text = blocks.pop() ?? ""
    for (const block of blocks) {
      const fields: Record<string, string> = {}
      for (const line of block.split("\n")) {
        const [, field = "", value = ""] = /^([^:]*): ?(.*)$/s.exec(line) ?? []
        fields[field] = field in fields ? `${fields[field]}\n${value}` : value
      }
      yield fields
    }
  }
}
export const allOf = async <A>(elements: AsyncIterable<A>): Promise<Array<A>> => {
  const all: Array<A> = []
  for await (const element of elements) all.push(element)
  return all
}
export const allEvents = (response: Response | IncomingMessage): Promise<Array<Record<string, string>>> =>
  allOf(events(response))

/** Rejects where something would hang, long before the test itself is given up. */
export const soon = <A>(promise: Promise<A>, what: string): Promise<A> =>
  Promise.race([
    promise,
    new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what}: not within 5 seconds`)), 5000)
      onTestFinished(() => clearTimeout(timer))
    }),
  ])
