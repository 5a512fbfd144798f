import {
  StreamableHTTPServerTransport,
  type StreamableHTTPServerTransportOptions,
} from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import type { AuthInfo } from "@modelcontextprotocol/sdk/server/auth/types.js"
import type { Transport, TransportSendOptions } from "@modelcontextprotocol/sdk/shared/transport.js"
import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageExtraInfo,
  type RequestId,
} from "@modelcontextprotocol/sdk/types.js"
import { hasLeft } from "@sojourn/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { Call, type Line } from "./Call.ts"
import { Pulse } from "./Pulse.ts"
import { forClient, forServer } from "./requestId.ts"
import { failure, requestCancelled, type RpcError } from "./rpc.ts"

export type HttpRequest = IncomingMessage & { auth?: AuthInfo }

export interface ConnectionOptions {
  readonly id: string
  readonly owner: string | undefined
  readonly transport: Omit<StreamableHTTPServerTransportOptions, "sessionIdGenerator">
  /** Milliseconds. */
  readonly ping: number
  /** The client has said DELETE, or the server has closed it. */
  readonly onEnd: () => void
}

const ours = "sojourn:ping:"

/**
 * One client's server and the SDK's transport, with what passes between the two in view: which requests wait for an
 * answer, and whether the client is still there.
 */
export class Connection implements Transport {
  readonly owner: string | undefined
  /** What the client has missed can be fetched later. */
  readonly resumable: boolean
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: Transport["onmessage"]
  readonly #inner: StreamableHTTPServerTransport
  readonly #answersAsJson: boolean
  readonly #calls = new Map<RequestId, Call>()
  readonly #listening = new Set<() => void>()
  readonly #pulse: Pulse
  #pings = 0

  constructor({ id, owner, transport, ping, onEnd }: ConnectionOptions) {
    this.owner = owner
    this.resumable = transport.eventStore !== undefined
    this.#answersAsJson = transport.enableJsonResponse === true
    this.#pulse = new Pulse(ping)
    const inner = new StreamableHTTPServerTransport({ ...transport, sessionIdGenerator: () => id })
    // Not event targets: the SDK has one handler each.
    /* oxlint-disable unicorn/prefer-add-event-listener */
    inner.onmessage = (message, extra) => this.#receive(message, extra)
    inner.onerror = (error) => this.onerror?.(error)
    inner.onclose = () => {
      for (const call of this.#calls.values()) call.close()
      onEnd()
      this.onclose?.()
    }
    /* oxlint-enable unicorn/prefer-add-event-listener */
    this.#inner = inner
  }

  // ── to the SDK's server, a transport ──

  get sessionId(): string | undefined {
    return this.#inner.sessionId
  }
  start(): Promise<void> {
    return this.#inner.start()
  }
  close(): Promise<void> {
    return this.#inner.close()
  }
  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const answer = isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)
    if (answer && message.id !== undefined) {
      const id = forClient(message.id)
      try {
        await this.#inner.send({ ...message, id })
      } finally {
        this.#calls.get(id)?.answered(id)
      }
      return
    }
    const related = options?.relatedRequestId
    if (related === undefined) return this.#inner.send(message)
    const id = forClient(related)
    this.#calls.get(id)?.heard()
    return this.#inner.send(message, { relatedRequestId: id })
  }

  // ── to the host ──

  /** Its client has introduced itself. */
  get isInitialized(): boolean {
    return this.sessionId !== undefined
  }
  /** Undefined: one of the ids is waited for already. */
  begin(ids: ReadonlySet<RequestId>, heard: () => void): Call | undefined {
    for (const id of ids) if (this.#calls.has(id)) return undefined
    const call = new Call(ids, this.#line, heard)
    for (const id of ids) this.#calls.set(id, call)
    return call
  }
  /** Once all is answered or cancelled; in a session that ends, at once. */
  async answer(
    call: Call,
    ids: ReadonlySet<RequestId>,
    req: HttpRequest,
    res: ServerResponse,
    body: unknown,
  ) {
    try {
      const handled = this.handle(req, res, body)
      // The SDK leaves an answer in JSON without end when its transport closes.
      await (this.#answersAsJson ? Promise.race([handled, call.closed]) : handled)
      if (call.taken) await call.settled
    } finally {
      for (const id of ids) this.#calls.delete(id)
    }
  }
  /** As long as the client listens. The newest standing GET takes the place of one before it, whose client may be gone. */
  async listen(req: HttpRequest, res: ServerResponse, signal: AbortSignal, resumes: boolean): Promise<void> {
    if (!resumes) this.#inner.closeStandaloneSSEStream()
    const end = (): void => {
      if (hasLeft(res)) return
      if (resumes) res.end()
      else this.#inner.closeStandaloneSSEStream()
    }
    const unwatch = resumes
      ? () => {}
      : this.#pulse.watch(
          () => this.#ping(),
          () => res.destroy(),
        )
    signal.addEventListener("abort", end, { once: true })
    this.#listening.add(end)
    try {
      await this.handle(req, res, undefined)
    } finally {
      this.#listening.delete(end)
      unwatch()
    }
  }
  /** Ends what listens: it would go on for ever. */
  endListening(): void {
    for (const end of this.#listening) end()
  }
  handle(req: HttpRequest, res: ServerResponse, body: unknown): Promise<void> {
    this.#pulse.heard()
    return this.#inner.handleRequest(req, res, body)
  }

  // ── between the two ──

  #receive(message: JSONRPCMessage, extra: MessageExtraInfo | undefined): void {
    if (isJSONRPCRequest(message)) return this.#request(message, extra)
    if (isPong(message)) return
    const id = cancelledId(message)
    if (id === undefined) return this.onmessage?.(message, extra)
    this.#line.cancel(id)
    this.#calls.get(id)?.cancelled(id)
  }
  #request(message: JSONRPCRequest, extra: MessageExtraInfo | undefined): void {
    if (this.#calls.get(message.id)?.take(message.id) === false) return
    this.onmessage?.({ ...message, id: forServer(message.id) }, extra)
  }
  readonly #line: Line = {
    cancel: (id) =>
      this.onmessage?.({
        jsonrpc: "2.0",
        method: "notifications/cancelled",
        params: { requestId: forServer(id), reason: requestCancelled.message },
      }),
    fail: (id, error) => this.#fail(id, error),
    drop: (id) => {
      // In JSON there is no other end than an answer.
      if (!this.#answersAsJson) this.#inner.closeSSEStream(id)
      return this.#fail(id, requestCancelled)
    },
  }
  async #fail(id: RequestId, error: RpcError): Promise<void> {
    try {
      await this.#inner.send(failure(id, error))
    } catch {
      // With nobody there to read it, all it does is make the transport forget the request.
    }
  }
  #ping(): void {
    const asked = this.#inner.send({ jsonrpc: "2.0", id: `${ours}${++this.#pings}`, method: "ping" })
    asked.catch((error: unknown) => this.onerror?.(error instanceof Error ? error : new Error(String(error))))
  }
}

const isPong = (message: JSONRPCMessage): boolean =>
  (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) &&
  typeof message.id === "string" &&
  message.id.startsWith(ours)

const cancelledId = (message: JSONRPCMessage): RequestId | undefined => {
  if (!isJSONRPCNotification(message) || message.method !== "notifications/cancelled") return undefined
  const id = message.params?.["requestId"]
  return typeof id === "string" || typeof id === "number" ? id : undefined
}
