import type { IncomingMessage, ServerResponse } from "node:http"
import { parseJson, readJson } from "../safety/json.ts"
import { bounds } from "../protocol/words.ts"
import { Refusal } from "../safety/Refusal.ts"
import { type Answer, leave, type LiveBody } from "./Ask.ts"
import { handle } from "./handle.ts"
import { Inspector } from "./Inspector.ts"
import { checkOptions, type InspectorOptions } from "./options.ts"

export type Dashboard<Req> = ((req: Req, res: ServerResponse, next?: (error?: unknown) => void) => void) &
  Disposable

/**
 * The inspector for `node:http` and for Express 4 and 5, under any path: `app.use("/_sessions", dashboard({ authorize }))`.
 * Everything below that path is its own: what it does not know is a 404. Without `authorize` it answers only requests of this
 * machine. It looks once a second at the registries' counters until it is disposed, and keeps no process alive.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const dashboard = <Req extends IncomingMessage = IncomingMessage>(
  options: InspectorOptions<Req> = {},
): Dashboard<Req> => {
  const { authorize, onAction, sessions, show } = checkOptions(options)
  const inspector = new Inspector(sessions, show)
  const serve = async (req: Req, res: ServerResponse): Promise<void> => {
    const { path, query } = addressOf(req.url)
    const answer = await handle(
      inspector,
      {
        method: req.method ?? "GET",
        path,
        query,
        header: (name) => headerOf(req, name),
        address: req.socket.remoteAddress,
        json: () => bodyOf(req),
      },
      {
        authorize: authorize === undefined ? undefined : () => authorize(req),
        onAction:
          onAction === undefined
            ? undefined
            : (action, session, record) => onAction(req, action, session, record),
      },
    )
    send(req, res, answer)
  }
  const served = (req: Req, res: ServerResponse): void => {
    // Nothing of it may end the process: a mistake of ours costs the connection.
    serve(req, res).catch(() => res.destroy())
  }
  return Object.assign(served, {
    [Symbol.dispose]: () => inspector.dispose(),
  })
}

/** A host may be before it, where a proxy is spoken to. */
const addressOf = (url: string | undefined): { readonly path: string; readonly query: string } => {
  const target = (url ?? "/").replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "")
  const mark = target.indexOf("?")
  const path = mark === -1 ? target : target.slice(0, mark)
  return { path: path.startsWith("/") ? path : `/${path}`, query: mark === -1 ? "" : target.slice(mark + 1) }
}

const headerOf = (req: IncomingMessage, name: string): string | undefined => {
  const value = req.headers[name]
  return Array.isArray(value) ? value.join(", ") : value
}

interface Parsed {
  readonly body?: unknown
}
/** Somebody may have read it before, as `express.json()` does. */
const bodyOf = async (req: IncomingMessage & Parsed): Promise<unknown> => {
  // What is too large is not read to its end, and still has to be told so.
  if (!req.readableDidRead) return readJson(req.iterator({ destroyOnReturn: false }))
  const { body } = req
  if (typeof body === "string") return parseJson(body)
  if (body instanceof Uint8Array) return parseJson(new TextDecoder().decode(body))
  if (typeof body !== "object" || body === null)
    throw new Refusal("bad-request", { detail: "The body has been read before." })
  // How much it was is known only by how much it is.
  if (JSON.stringify(body).length > bounds.body) throw new Refusal("too-large")
  return body
}

const send = (req: IncomingMessage, res: ServerResponse, { body, headers, status }: Answer): void => {
  // Whoever was here before may have answered, or the client has left.
  if (res.headersSent || res.destroyed) {
    if (typeof body !== "string") leave(body)
    return
  }
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  if (!req.complete && req.httpVersionMajor === 1 && hasBody(req)) {
    // What was not read is not read any more: the connection cannot be used again.
    res.setHeader("connection", "close")
  }
  if (typeof body !== "string") {
    if (req.method === "HEAD") {
      leave(body)
      res.end()
    } else if (body instanceof ReadableStream) void copy(res, body)
    else pump(res, body)
    return
  }
  if (req.method === "HEAD" || status === 304) res.end()
  else {
    res.setHeader("content-length", Buffer.byteLength(body))
    res.end(body)
  }
}
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

/** One frame at a time: the next one is made when the last one has left this process. */
const pump = (res: ServerResponse, body: LiveBody): void => {
  let full = false
  const write = (): void => {
    while (!full) {
      const text = body.take()
      if (text === undefined) return
      full = !res.write(text)
    }
  }
  res.on("drain", () => {
    full = false
    write()
  })
  res.on("close", () => body.leave())
  // A client that is gone is no error of ours.
  res.on("error", () => body.leave())
  body.start(write, (cut) => {
    if (cut) res.destroy()
    else res.end()
  })
  res.flushHeaders()
  write()
}

/** A file, as fast as it is taken. */
const copy = async (res: ServerResponse, body: ReadableStream<Uint8Array>): Promise<void> => {
  const reader = body.getReader()
  let gone = false
  let waits: (() => void) | undefined
  res.on("drain", () => waits?.())
  res.on("error", () => {})
  res.on("close", () => {
    gone = true
    waits?.()
    reader.cancel().catch(() => {})
  })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (gone) return
      if (done) return void res.end()
      if (res.write(value)) continue
      await new Promise<void>((resolve) => {
        waits = resolve
      })
    }
  } catch {
    // Half a file must not look like a whole one.
    res.destroy()
  }
}
