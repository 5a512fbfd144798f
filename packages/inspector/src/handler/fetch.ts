import { checkedName, invalidOption } from "@sojourn/core/host"
import { isJson, readJson } from "../safety/json.ts"
import { Refusal } from "../safety/Refusal.ts"
import { type Answer, type Ask, leave, type LiveBody } from "./Ask.ts"
import { handle } from "./handle.ts"
import { Inspector } from "./Inspector.ts"
import { checkOptions, type InspectorOptions } from "./options.ts"

export type FetchInspectorOptions = InspectorOptions<Request> & {
  /** The path under which the host calls it, such as "/_sessions", if it does not take that off itself. "" */
  readonly base?: string | undefined
}
export type FetchInspector = ((request: Request) => Promise<Response>) & Disposable

/**
 * The inspector for hosts that answer a `Request` with a `Response`. `authorize` is needed: a `Request` does not say where it
 * comes from, so nothing could be answered without. It looks once a second at the registries' counters until it is disposed,
 * and keeps no process alive.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const dashboardFetch = (options: FetchInspectorOptions = {}): FetchInspector => {
  const { authorize, onAction, sessions, show } = checkOptions(options, ["base"])
  const base = options.base === undefined || options.base === "" ? "" : checkedName("base", options.base)
  if (authorize === undefined)
    throw invalidOption(
      "authorize: needed here, since a Request does not say whether it comes from this machine.",
    )
  const inspector = new Inspector(sessions, show)
  const respond = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url)
    const under = base === "" || pathname === base || pathname.startsWith(`${base}/`)
    const answer = await handle(
      inspector,
      {
        method: request.method,
        path: under ? pathname.slice(base.length) || "/" : "",
        query: search.slice(1),
        header: (name) => headerOf(request, name),
        address: undefined,
        json: () => bodyOf(request),
      },
      {
        authorize: () => authorize(request),
        onAction:
          onAction === undefined
            ? undefined
            : (action, session, record) => onAction(request, action, session, record),
      },
    )
    return responseOf(answer, request.method)
  }
  return Object.assign(respond, { [Symbol.dispose]: () => inspector.dispose() })
}

/** The host of a `Request` is in its address. */
const headerOf = (request: Request, name: string): string | undefined =>
  request.headers.get(name) ?? (name === "host" ? new URL(request.url).host : undefined)

const bodyOf: (request: Request) => ReturnType<Ask["json"]> = async (request) => {
  if (request.bodyUsed) throw new Refusal("bad-request", { detail: "The body has been read before." })
  if (!isJson(request.headers.get("content-type") ?? undefined)) throw new Refusal("not-json")
  return readJson(request.body ?? new ReadableStream<Uint8Array>())
}

const responseOf = ({ body, headers, status }: Answer, method: string): Response => {
  if (typeof body === "string")
    return new Response(method === "HEAD" || status === 304 ? null : body, { status, headers })
  if (method === "HEAD") {
    leave(body)
    return new Response(null, { status, headers })
  }
  return new Response(body instanceof ReadableStream ? body : streamOf(body), { status, headers })
}

const encoder = new TextEncoder()
/** Asked for more only when what it had is on its way. */
const streamOf = (body: LiveBody): ReadableStream<Uint8Array> => {
  let wanted: (() => void) | undefined
  let over = false
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        body.start(
          () => wanted?.(),
          (cut) => {
            over = true
            wanted?.()
            if (cut) controller.error(new Error("The viewer takes nothing any more."))
            else controller.close()
          },
        )
      },
      pull: async (controller) => {
        for (;;) {
          const text = body.take()
          if (text !== undefined) return controller.enqueue(encoder.encode(text))
          if (over) return
          await new Promise<void>((resolve) => {
            wanted = () => {
              wanted = undefined
              resolve()
            }
          })
        }
      },
      cancel: () => {
        over = true
        body.leave()
        wanted?.()
      },
    },
    { highWaterMark: 0 },
  )
}
