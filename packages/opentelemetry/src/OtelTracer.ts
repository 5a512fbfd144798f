/** A tracer of OpenTelemetry in the shape in which registries ask for spans. */
import {
  context,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Link,
  type Span,
  type Tracer,
} from "@opentelemetry/api"
import type {
  SessionSpan,
  SessionTracer,
  SpanAttributes,
  SpanEnd,
  SpanStart,
  SpanSubject,
} from "@sojourn/core/inspect"

class OtelSpan implements SessionSpan {
  readonly span: Span
  constructor(span: Span) {
    this.span = span
  }
  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes)
  }
  event(name: string, attributes?: SpanAttributes): void {
    this.span.addEvent(name, attributes)
  }
  link(to: SessionSpan): void {
    for (const link of linksTo(to)) this.span.addLink(link)
  }
  end({ failure }: SpanEnd): void {
    if (failure !== undefined) this.span.setStatus({ code: SpanStatusCode.ERROR, message: failure })
    this.span.end()
  }
}

const linksTo = (to: SessionSpan | undefined): Array<Link> =>
  to instanceof OtelSpan ? [{ context: to.span.spanContext() }] : []

export class OtelTracer implements SessionTracer {
  /** Until it is disposed. */
  makesSpans = true
  readonly #tracer: Tracer
  readonly #subjects: ReadonlySet<SpanSubject>
  readonly #more: (span: SpanStart) => Attributes | undefined
  constructor(
    tracer: Tracer,
    subjects: ReadonlySet<SpanSubject>,
    more: (span: SpanStart) => Attributes | undefined,
  ) {
    this.#tracer = tracer
    this.#subjects = subjects
    this.#more = more
  }
  start(span: SpanStart, inside: () => void): SessionSpan | undefined {
    if (!this.makesSpans || !this.#subjects.has(span.subject)) return undefined
    // Of a session's own life: whoever happens to be current has nothing to do with it.
    const parent = span.root ? ROOT_CONTEXT : context.active()
    const own = this.#tracer.startSpan(
      span.name,
      {
        attributes: { ...this.#more(span), ...span.attributes },
        links: linksTo(span.cause),
      },
      parent,
    )
    context.with(trace.setSpan(parent, own), inside)
    // What runs in it must know that it is not sampled; the rest would be said to nobody.
    return own.isRecording() ? new OtelSpan(own) : undefined
  }
}
