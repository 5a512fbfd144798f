/**
 * Spans through Effect's own Tracer, where the sessions' layer is given one: made by hand, since a turn is no Effect of its
 * caller's that could be wrapped.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import type { SessionSpan, SessionTracer, SpanAttributes, SpanEnd, SpanStart } from "../../observe/Span.ts"
import { Tracing, type Trace } from "../../observe/Tracing.ts"
import type { Registry } from "../../registry/Registry.ts"

class EffectSpan implements SessionSpan {
  readonly span: Tracer.Span
  readonly #now: () => bigint
  constructor(span: Tracer.Span, now: () => bigint) {
    this.span = span
    this.#now = now
  }
  set(attributes: SpanAttributes): void {
    for (const [name, value] of Object.entries(attributes)) this.span.attribute(name, value)
  }
  event(name: string, attributes?: SpanAttributes): void {
    this.span.event(name, this.#now(), attributes)
  }
  link(to: SessionSpan): void {
    this.span.addLinks(linksTo(to))
  }
  end({ failure, outcome }: SpanEnd): void {
    this.span.end(this.#now(), exitOf(outcome, failure))
  }
}

const linksTo = (to: SessionSpan | undefined): Array<Tracer.SpanLink> =>
  to instanceof EffectSpan ? [{ span: to.span, attributes: {} }] : []

/** An exporter shows an error's name, message and stack. Its kind is all it gets. */
const exitOf = (outcome: string, failure: string | undefined): Exit.Exit<void, object> => {
  if (failure !== undefined) return Exit.fail({ name: failure, message: failure, stack: failure })
  return outcome === "cancelled" ? Exit.interrupt() : Exit.void
}

/** Spans of the registry, if the sessions' layer has a Tracer. */
export const tracingOf = (registry: Registry, application: Context.Context<never>): Tracing | undefined => {
  if (Context.get(application, Tracer.Tracer) === Tracer.nativeTracer) return undefined
  return new Tracing(registry, new EffectTracer(application))
}

class EffectTracer implements SessionTracer {
  readonly #application: Context.Context<never>
  readonly #tracer: Tracer.Tracer
  constructor(application: Context.Context<never>) {
    this.#application = application
    this.#tracer = Context.get(application, Tracer.Tracer)
  }
  start(start: SpanStart, inside: () => void): SessionSpan | undefined {
    const context = (start.lent as Context.Context<never> | undefined) ?? this.#application
    if (!Context.get(context, References.TracerEnabled)) return undefined
    const own = Context.get(context, Tracer.Tracer)
    const clock = Context.get(context, Clock.Clock)
    const timed = Context.get(context, References.TracerTimingEnabled)
    const now = (): bigint => (timed ? clock.currentTimeNanosUnsafe() : 0n)
    // A caller whose context has no Tracer is no reason to leave its turn out.
    const tracer = own === Tracer.nativeTracer ? this.#tracer : own
    const span = makeSpan(tracer, context, start, now())
    inside()
    return new EffectSpan(span, now)
  }
}

/** As `Effect.makeSpan` does, without a fiber to do it in: that costs a turn a microsecond. */
const makeSpan = (
  tracer: Tracer.Tracer,
  context: Context.Context<never>,
  { attributes, cause, name, root }: SpanStart,
  startTime: bigint,
): Tracer.Span => {
  const parent = root
    ? Option.none()
    : propagated(Context.getOrUndefined(context as Context.Context<Tracer.ParentSpan>, Tracer.ParentSpan))
  const level = Context.get(context, Tracer.CurrentTraceLevel)
  const span = tracer.span({
    name,
    parent,
    root,
    kind: "internal",
    annotations: Context.empty(),
    links: [...Context.get(context, References.TracerSpanLinks), ...linksTo(cause)],
    startTime,
    sampled:
      Option.isSome(parent) && !parent.value.sampled
        ? false
        : !LogLevel.isGreaterThan(Context.get(context, Tracer.MinimumTraceLevel), level),
  })
  const annotations = Context.get(context, References.TracerSpanAnnotations)
  for (const key in annotations) span.attribute(key, annotations[key])
  for (const key in attributes) span.attribute(key, attributes[key])
  return span
}
/** The nearest span that may have children. */
const propagated = (span: Tracer.AnySpan | undefined): Option.Option<Tracer.AnySpan> => {
  if (span === undefined) return Option.none()
  if (!Context.get(span.annotations, Tracer.DisablePropagation)) return Option.some(span)
  return span._tag === "Span" ? propagated(Option.getOrUndefined(span.parent)) : Option.none()
}

/** With the span, if it has one of ours, as the parent of what is made in it. */
export const inSpan = (context: Context.Context<never>, trace: Trace | undefined): Context.Context<never> =>
  trace?.span instanceof EffectSpan ? Context.add(context, Tracer.ParentSpan, trace.span.span) : context
