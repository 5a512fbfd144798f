import { createSessions } from "@sojourn/core"
import * as Schema from "effect/Schema"
import { once } from "node:events"
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from "node:http"
import { connect, type AddressInfo, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import { dashboard, type Dashboard, type InspectorOptions } from "../src/index.ts"
import { endpoints, Problem, type EndpointName } from "../src/protocol.ts"

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

/** A dashboard of these registries alone, served until the test ends. */
export const serve = async (
  options: InspectorOptions<IncomingMessage>,
): Promise<{ readonly url: string; readonly handler: Dashboard<IncomingMessage> }> => {
  const handler = dashboard(options)
  onTestFinished(() => handler[Symbol.dispose]())
  return { url: await listen(handler), handler }
}

let made = 0
export interface Room {
  readonly key: string
}
type RoomOptions = Omit<Parameters<typeof createSessions<Room>>[0], "open"> & {
  readonly open?: (() => Room | PromiseLike<Room>) | undefined
}
/** A registry, drained when the test ends. */
export const rooms = (options: Partial<RoomOptions> = {}) => {
  const sessions = createSessions<Room>({
    name: `room-${++made}`,
    open: ({ key }) => ({ key }),
    ...(options as object),
  })
  onTestFinished(async () => void (await sessions.drain({ finishWithin: 0 })))
  return sessions
}

/** Work that goes on until it is told to, and then for as long as `end` is not called. */
export const hanging = () => {
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  let begin = (): void => {}
  const began = new Promise<void>((resolve) => {
    begin = resolve
  })
  onTestFinished(() => end())
  return {
    began,
    end: () => end(),
    work: async (): Promise<void> => {
      begin()
      await ended
    },
  }
}

// oxlint-disable-next-line typescript/no-explicit-any
export const decode = (name: EndpointName, body: unknown): any =>
  Schema.decodeUnknownSync(endpoints[name].answer as never, { onExcessProperty: "error" })(body)

/** An answer that its schema knows every field of. */
// oxlint-disable-next-line typescript/no-explicit-any
export const ask = async (url: string, name: EndpointName, init: RequestInit = {}): Promise<any> => {
  const response = await fetch(url, init)
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.status} ${text}`)
  return decode(name, JSON.parse(text))
}

export const refusal = async (response: Response) => {
  const body: unknown = await response.json()
  const problem = Schema.decodeUnknownSync(Problem, { onExcessProperty: "error" })(body)
  return { ...problem, sent: response.headers.get("content-type"), answered: response.status }
}

export const post = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${url}/actions`, {
    method: "POST",
    headers: { "content-type": "application/json", "sec-fetch-site": "same-origin", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  })

/** A request whose path and headers are sent as they are. */
export const raw = (
  url: string,
  {
    path = "/overview",
    method = "GET",
    headers = {},
    body,
  }: {
    readonly path?: string
    readonly method?: string
    readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>>
    readonly body?: string | Buffer
  },
): Promise<{
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  readonly text: string
}> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    httpRequest({ hostname, port, path, method, headers: headers as Record<string, string> }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => (text += chunk))
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      response.on("error", reject)
    })
      .on("error", reject)
      .end(body)
  })

/** A connection that never reads what comes. */
export const deaf = async (url: string, path: string): Promise<Socket> => {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  await once(socket, "connect")
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
  return socket
}

/** The frames of a stream, each decoded; `id` is what to come back with. */
export async function* frames(
  response: Response,
  // oxlint-disable-next-line typescript/no-explicit-any
): AsyncGenerator<{ readonly id: string; readonly frame: any }> {
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += value
      const blocks = text.split("\n\n")
      text = blocks.pop() ?? ""
      for (const block of blocks) {
        const id = /^id: (.*)$/m.exec(block)?.[1]
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (id !== undefined && data !== undefined) yield { id, frame: decode("stream", JSON.parse(data)) }
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** Opens a stream that is left when the test ends. */
export const stream = async (url: string, search: string, headers: Readonly<Record<string, string>> = {}) => {
  const own = new AbortController()
  onTestFinished(() => own.abort())
  const response = await fetch(`${url}/stream?${search}`, { headers, signal: own.signal })
  return { response, frames: frames(response), leave: () => own.abort() }
}

export const first = async <A>(items: AsyncIterator<A>): Promise<A> => {
  const { done, value } = await items.next()
  if (done === true) throw new Error("there is none")
  return value
}
export const until = async <A>(items: AsyncIterator<A>, wanted: (item: A) => boolean): Promise<A> => {
  for (;;) {
    const item = await first(items)
    if (wanted(item)) return item
  }
}
