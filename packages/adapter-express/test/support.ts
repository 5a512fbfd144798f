import { createSessions, type SessionEvent } from "@sojourn/core"
import type { Express } from "express"
import { createServer, type IncomingMessage, request as httpRequest } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"

/** Serves the app on a free loopback port until the test ends; gives its address. */
export const listen = async (app: Express): Promise<string> => {
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
type Counters = ReturnType<typeof createSessions<Counter>>

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

/** A browser as far as these tests need one: it keeps the last cookie it was given. */
export class Browser {
  cookie: string | undefined
  async visit(
    url: string,
    init: { readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    const cookie = this.cookie === undefined ? {} : { cookie: this.cookie }
    const response = await fetch(url, { headers: { ...cookie, ...init.headers } })
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) this.cookie = set.split(";", 1)[0]
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

/** The events of a `text/event-stream` answer, as far as it has come. */
export const events = async function* (response: Response): AsyncGenerator<Record<string, string>> {
  let text = ""
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
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
export const allEvents = async (response: Response): Promise<Array<Record<string, string>>> => {
  const all: Array<Record<string, string>> = []
  for await (const event of events(response)) all.push(event)
  return all
}
