/** The stock SDK, with its exporter in memory or a real one, as an application sets it up. */
import type { Link } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { resourceFromAttributes } from "@opentelemetry/resources"
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"

/** Counts what started and has not ended. */
class Open implements SpanProcessor {
  readonly spans = new Set<unknown>()
  onStart(span: unknown): void {
    this.spans.add(span)
  }
  onEnd(span: unknown): void {
    if (!this.spans.delete(span)) throw new Error("A span ended twice, or had never begun.")
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

export class Sdk implements AsyncDisposable {
  readonly memory = new InMemorySpanExporter()
  readonly open = new Open()
  readonly provider: NodeTracerProvider
  readonly app: ReturnType<NodeTracerProvider["getTracer"]>

  /** Registered as the process's: its context manager, its propagator (`traceparent`), and its tracers. */
  constructor(
    exporter?: SpanExporter,
    options: { readonly sampler?: Sampler; readonly processor?: SpanProcessor } = {},
  ) {
    this.provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ "service.name": "shop" }),
      ...(options.sampler === undefined ? undefined : { sampler: options.sampler }),
      spanProcessors: [
        this.open,
        new SimpleSpanProcessor(exporter ?? this.memory),
        ...(options.processor === undefined ? [] : [options.processor]),
      ],
    })
    this.provider.register({ contextManager: new AsyncLocalStorageContextManager() })
    this.app = this.provider.getTracer("app")
  }
  get spans(): ReadonlyArray<ReadableSpan> {
    return this.memory.getFinishedSpans()
  }
  /** `child < parent`, by name, in the order they ended. */
  get tree(): ReadonlyArray<string> {
    const names = new Map(this.spans.map((span) => [span.spanContext().spanId, span.name]))
    return this.spans.map(({ name, parentSpanContext }) =>
      parentSpanContext === undefined
        ? name
        : `${name} < ${names.get(parentSpanContext.spanId) ?? parentSpanContext.spanId}`,
    )
  }
  named(name: string): ReadableSpan {
    const found = this.spans.find((span) => span.name === name)
    if (found === undefined) throw new Error(`There is no span ${name} in ${this.tree.join(", ")}`)
    return found
  }
  /** By name. */
  linksOf(name: string): ReadonlyArray<string | undefined> {
    const names = new Map(this.spans.map((span) => [span.spanContext().spanId, span.name]))
    return this.named(name).links.map(({ context }: Link) => names.get(context.spanId))
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider.shutdown()
    const { context, propagation, trace } = await import("@opentelemetry/api")
    trace.disable()
    context.disable()
    propagation.disable()
  }
}
