/** A small collector: takes OTLP over HTTP as JSON and keeps the spans. */
import { once } from "node:events"
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly service: string
  readonly scope: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: ReadonlyArray<string>
  /** Ids of spans. */
  readonly links: ReadonlyArray<string>
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number
  /** Nanoseconds. */
  readonly startedAt: bigint
  readonly endedAt: bigint
}

interface Value {
  readonly stringValue?: string
  readonly intValue?: string | number
  readonly doubleValue?: number
  readonly boolValue?: boolean
}
type KeyValues = ReadonlyArray<{ readonly key: string; readonly value: Value }>
interface Wire {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: KeyValues }
    readonly scopeSpans: ReadonlyArray<{
      readonly scope: { readonly name: string }
      readonly spans: ReadonlyArray<{
        readonly traceId: string
        readonly spanId: string
        readonly parentSpanId?: string
        readonly name: string
        readonly startTimeUnixNano: string
        readonly endTimeUnixNano: string
        readonly attributes?: KeyValues
        readonly events?: ReadonlyArray<{ readonly name: string }>
        readonly links?: ReadonlyArray<{ readonly spanId: string }>
        readonly status?: { readonly code?: number }
      }>
    }>
  }>
}

const valueOf = ({ boolValue, doubleValue, intValue, stringValue }: Value): unknown =>
  stringValue ?? boolValue ?? doubleValue ?? (intValue === undefined ? undefined : Number(intValue))
const recordOf = (pairs: KeyValues = []): Readonly<Record<string, unknown>> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, valueOf(value)]))

function* spansIn({ resourceSpans }: Wire): Generator<ReceivedSpan> {
  for (const { resource, scopeSpans } of resourceSpans)
    for (const { scope, spans } of scopeSpans)
      for (const span of spans)
        yield {
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId === "" ? undefined : span.parentSpanId,
          name: span.name,
          service: String(recordOf(resource.attributes)["service.name"]),
          scope: scope.name,
          attributes: recordOf(span.attributes),
          events: (span.events ?? []).map(({ name }) => name),
          links: (span.links ?? []).map(({ spanId }) => spanId),
          status: span.status?.code ?? 0,
          startedAt: BigInt(span.startTimeUnixNano),
          endedAt: BigInt(span.endTimeUnixNano),
        }
}

export class Receiver implements AsyncDisposable {
  readonly spans: Array<ReceivedSpan> = []
  readonly refused: Array<string> = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }
  static async listen(): Promise<Receiver> {
    const server = createServer()
    const receiver = new Receiver(server)
    server.on("request", async (req, res) => {
      const whole = await textOf(req)
      const known = req.method === "POST" && req.url === "/v1/traces"
      if (known && req.headers["content-type"]?.startsWith("application/json") === true)
        receiver.spans.push(...spansIn(JSON.parse(whole) as Wire))
      else if (req.url?.startsWith("/v1/") !== true || known)
        receiver.refused.push(`${req.method} ${req.url}`)
      res.setHeader("content-type", "application/json").end("{}")
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    return receiver
  }
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }
  named(name: string): ReceivedSpan {
    const found = this.spans.filter((span) => span.name === name)
    const [first] = found
    if (first === undefined || found.length > 1)
      throw new Error(`${found.length} spans ${name} among ${this.spans.map((span) => span.name).join(", ")}`)
    return first
  }
  /** `child < parent`, by name, sorted: two that start in one millisecond have no order. */
  get tree(): ReadonlyArray<string> {
    const names = new Map(this.spans.map(({ name, spanId }) => [spanId, name]))
    return this.spans
      .map(({ name, parentSpanId }) =>
        parentSpanId === undefined ? name : `${name} < ${names.get(parentSpanId) ?? parentSpanId}`,
      )
      .toSorted()
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, "close")
  }
}

const textOf = async (req: IncomingMessage): Promise<string> => {
  let whole = ""
  for await (const chunk of req.setEncoding("utf8")) whole += String(chunk)
  return whole
}
