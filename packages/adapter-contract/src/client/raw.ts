import { once } from "node:events"
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from "node:http"

export interface RawInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent
}
export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A client that reads only when told to, and leaves when told to. The path is sent as it is: `fetch` would tidy it up. */
export class RawClient {
  readonly #request
  readonly response: Promise<IncomingMessage>

  constructor(url: string, path: string, { method = "GET", headers = {}, agent }: RawInit = {}) {
    const { hostname, port, pathname } = new URL(url)
    const mount = pathname === "/" ? "" : pathname
    this.#request = request({
      hostname,
      port,
      path: mount + path,
      method,
      headers,
      agent: agent ?? new Agent(),
    }).end()
    this.response = once(this.#request, "response").then(([response]) => response as IncomingMessage)
    this.response.catch(() => {})
    // Who leaves is told that the connection was reset.
    this.#request.on("error", () => {})
  }
  leave(): void {
    this.#request.destroy()
  }
}

export const raw = async (url: string, path: string, init?: RawInit): Promise<RawAnswer> => {
  const response = await new RawClient(url, path, init).response
  response.setEncoding("utf8")
  let body = ""
  for await (const chunk of response) body += String(chunk)
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}
