import { trace, type Tracer, type TracerProvider } from "@opentelemetry/api"
import type { AnySessions, Options, SessionRef } from "@sojourn/core"
import { checkedFunction, invalidOption, resolveNames } from "@sojourn/core/host"
import {
  inspectionOf,
  inspectionsOf,
  liveRegistries,
  watchRegistries,
  type Inspection,
  type SpanStart,
  type SpanSubject,
} from "@sojourn/core/inspect"
import { OtelTracer } from "./OtelTracer.ts"
import { version } from "./version.ts"

export type TracingOptions = Options<{
  /** Only these. Left out: every registry of this process, those that come later too. */
  readonly sessions: ReadonlyArray<AnySessions>
  /** Where the tracer comes from. Left out: the global one, also if it is registered later. */
  readonly tracerProvider: TracerProvider
  /** The tracer itself, instead of one of the provider's. */
  readonly tracer: Tracer
  /** Which spans there are. Left out: `["open", "task", "close"]`; probes are many, and each is a trace of its own. */
  readonly spans: ReadonlyArray<SpanSubject>
  /**
   * A session in words, as `sojourn.session.shown`, at most 256 characters. Left out: spans have a hash of the key, and nothing
   * else that would say whose it is. What it throws is survived, and shows nothing.
   */
  readonly show: (session: SessionRef) => string
}>

const subjects = ["open", "task", "probe", "close"] as const satisfies ReadonlyArray<SpanSubject>
const usualSubjects = ["open", "task", "close"] as const satisfies ReadonlyArray<SpanSubject>
const longestShown = 256

/**
 * Makes spans of what happens in registries of sessions, until it is disposed: of each task, from hand-in to its end, as a
 * child of its caller's active span; of each opening, close and probe, as a trace of its own, linked to the task that made it
 * necessary. The code of a task runs with the task's span as the active one. Sampling is the SDK's.
 *
 * A registry of the Effect face whose layer has a Tracer makes its spans there, and is left alone; so is one that is traced
 * already. Disposed, it makes no new spans; those under way end as what they are of does.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const traceSessions = (options?: TracingOptions): Disposable => {
  resolveNames(options, ["sessions", "tracerProvider", "tracer", "spans", "show"])
  const tracer = new OtelTracer(tracerOf(options), subjectsOf(options?.spans), shownBy(options?.show))
  const only = options?.sessions === undefined ? undefined : inspectionsOf(options.sessions)
  // A registry that has drained is not kept for this.
  const ends = new WeakMap<AnySessions, () => void>()
  const add = (inspection: Inspection): void => {
    const end = inspection.traceWith(tracer)
    if (end !== undefined) ends.set(inspection.sessions, end)
  }
  for (const inspection of only ?? []) add(inspection)
  const unwatch =
    only === undefined
      ? watchRegistries((sessions) => {
          const inspection = inspectionOf(sessions)
          if (inspection !== undefined) add(inspection)
        })
      : undefined
  return {
    [Symbol.dispose]: () => {
      tracer.makesSpans = false
      unwatch?.()
      for (const sessions of liveRegistries()) ends.get(sessions)?.()
    },
  }
}

const tracerOf = (options: TracingOptions | undefined): Tracer => {
  const { tracer, tracerProvider } = options ?? {}
  if (tracer === undefined) {
    if (tracerProvider === undefined) return trace.getTracer("@sojourn/opentelemetry", version)
    checkedFunction("tracerProvider.getTracer", Reflect.get(tracerProvider, "getTracer"))
    return tracerProvider.getTracer("@sojourn/opentelemetry", version)
  }
  if (tracerProvider !== undefined)
    throw invalidOption("tracer: give a tracer or a tracerProvider, not both.")
  checkedFunction("tracer.startSpan", Reflect.get(tracer, "startSpan"))
  return tracer
}
const subjectsOf = (given: ReadonlyArray<SpanSubject> | undefined): ReadonlySet<SpanSubject> => {
  if (given === undefined) return new Set(usualSubjects)
  if (!Array.isArray(given) || given.some((subject) => !subjects.includes(subject)))
    throw invalidOption(`spans: an array of ${subjects.join(", ")} is allowed.`)
  return new Set(given)
}
const shownBy = (
  show: TracingOptions["show"],
): ((span: SpanStart) => { "sojourn.session.shown": string } | undefined) => {
  if (show === undefined) return () => undefined
  checkedFunction("show", show)
  return ({ session }) => {
    if (session === undefined) return undefined
    try {
      const shown: unknown = show(session)
      return typeof shown === "string" ? { "sojourn.session.shown": harmless(shown) } : undefined
    } catch {
      return undefined
    }
  }
}
// Control and format characters steer terminals and reorder lines. Cut first: it may be long.
const harmless = (text: string): string =>
  text
    .slice(0, longestShown)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?")
    .toWellFormed()
