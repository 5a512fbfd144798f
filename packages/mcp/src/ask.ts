/** What a request asks for, seen from its method, its headers and its body alone: no session is touched. */
import {
  isInitializeRequest,
  isJSONRPCRequest,
  type JSONRPCRequest,
  type RequestId,
} from "@modelcontextprotocol/sdk/types.js"
import type { Refusal } from "./answers.ts"
import { badRequest, codeOf } from "./rpc.ts"

/** A request as it was sent. Header names in small letters. */
export interface Sent {
  readonly method: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** Parsed; undefined: it has none. */
  readonly body: unknown
}

export type Ask =
  | { readonly to: "refuse"; readonly refusal: Refusal }
  /** A client introduces itself: the only request that opens a session. */
  | { readonly to: "initialize"; readonly requests: ReadonlyArray<JSONRPCRequest> }
  /** Requests, which are to be answered, perhaps with other messages beside them. */
  | { readonly to: "call"; readonly id: string; readonly requests: ReadonlyArray<JSONRPCRequest> }
  /** Answers and notifications: they are taken, and that is all. */
  | { readonly to: "tell"; readonly id: string }
  /** The standing GET; or one that resumes a stream that was lost. */
  | { readonly to: "listen"; readonly id: string; readonly resumes: boolean }
  | { readonly to: "end"; readonly id: string }

export type Wanted = Exclude<Ask, { readonly to: "refuse" }>

/** Ours are random UUIDs: anything else was never issued, however long it is and whatever is in it. */
const issued = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const askOf = (sent: Sent): Ask => {
  const { method, headers, body } = sent
  if (method !== "POST" && method !== "GET" && method !== "DELETE")
    return refuse(405, "Method not allowed.", { allow: "GET, POST, DELETE" })
  const unacceptable = formRefusal(sent)
  if (unacceptable !== undefined) return unacceptable
  const id = one(headers["mcp-session-id"])
  if (id === undefined) {
    const introduction = method === "POST" ? initializeIn(body) : undefined
    if (introduction !== undefined) return { to: "initialize", requests: [introduction] }
    return refuse(400, "Bad Request: Mcp-Session-Id header is required")
  }
  if (!issued.test(id)) return notFound
  if (method === "DELETE") return { to: "end", id }
  if (method === "GET") return { to: "listen", id, resumes: headers["last-event-id"] !== undefined }
  const requests = requestsIn(body)
  return requests.length === 0 ? { to: "tell", id } : { to: "call", id, requests }
}

/** Like the SDK, but before anything is opened. */
const formRefusal = ({ method, headers, body }: Sent): Ask | undefined => {
  const accept = one(headers["accept"]) ?? ""
  if (method === "GET" && !accept.includes("text/event-stream"))
    return refuse(406, "Not Acceptable: Client must accept text/event-stream")
  if (method !== "POST") return undefined
  if (!accept.includes("application/json") || !accept.includes("text/event-stream"))
    return refuse(406, "Not Acceptable: Client must accept both application/json and text/event-stream")
  if (!isJson(headers)) return refuse(415, "Unsupported Media Type: Content-Type must be application/json")
  if (listed(body).length > longestBatch)
    return refuse(400, `Bad Request: a batch must not exceed ${longestBatch} messages`)
  return undefined
}

export const isJson = (headers: Sent["headers"]): boolean =>
  one(headers["content-type"])?.split(";", 1)[0]?.trim().toLowerCase() === "application/json"

/** Alone, and a whole JSON-RPC request: what the transport would refuse must not open a session first. */
const initializeIn = (body: unknown): JSONRPCRequest | undefined => {
  const [message, ...others] = listed(body)
  return others.length === 0 && isJSONRPCRequest(message) && isInitializeRequest(message)
    ? message
    : undefined
}
const requestsIn = (body: unknown): ReadonlyArray<JSONRPCRequest> =>
  listed(body).filter((message) => isJSONRPCRequest(message))
const listed = (body: unknown): ReadonlyArray<unknown> => (Array.isArray(body) ? body : [body])
/** As the SDK has it. */
const longestBatch = 100

/** Node joins most headers that are sent twice; a joined id is none of ours. */
const one = (header: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof header === "string" || header === undefined ? header : header.join(", ")

const refuse = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Ask => ({
  to: "refuse",
  refusal: { status, error: { code: codeOf(status), message }, headers },
})
const notFound = refuse(404, "Session not found")

/** The messages of one POST have ids of their own, and none of those that are being answered. */
export const idsOf = (requests: ReadonlyArray<JSONRPCRequest>): ReadonlySet<RequestId> | undefined => {
  const ids = new Set(requests.map(({ id }) => id))
  return ids.size === requests.length ? ids : undefined
}
export const idInUse: Refusal = {
  status: 400,
  error: { code: badRequest, message: "Bad Request: the id of a request is in use" },
}
