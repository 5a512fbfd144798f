/**
 * What makes spans, and what it is asked for. Which spans there are, and what they say, is the same for everybody who makes
 * them: `Tracing` decides it.
 */
import type { SessionRef } from "../SessionKey.ts"

export type SpanAttributes = { readonly [name: string]: string | number | boolean }

/** `task`: from hand-in to the end of the work, or until it was abandoned. Leases: until they are granted. */
export type SpanSubject = "open" | "task" | "probe" | "close"

/** A span under way. After `end` nothing is called, except that another span may be linked to it. */
export interface SessionSpan {
  readonly set: (attributes: SpanAttributes) => void
  readonly event: (name: string, attributes?: SpanAttributes) => void
  readonly link: (to: SessionSpan) => void
  /** `failure`: what kind of error it ended with. It is no text of an error: those may hold anything. */
  readonly end: (how: SpanEnd) => void
}
export interface SpanEnd {
  readonly outcome: string
  readonly failure: string | undefined
}

export interface SpanStart {
  readonly subject: SpanSubject
  /** Of few different values. */
  readonly name: string
  /** Undefined: the key was none. Of a session that has not been opened before, without a generation. */
  readonly session: SessionRef | undefined
  readonly attributes: SpanAttributes
  /** Of a session's own life: it has no parent, but what made it necessary, if that has a span. */
  readonly root: boolean
  readonly cause: SessionSpan | undefined
  /** What the caller's face lends a task: on the Effect face the `Context` of the caller's fiber. */
  readonly lent: unknown
}

/**
 * Called while things happen, between the steps of the engine: for a task in its caller's async context, for all else in the
 * clean one. What it throws is counted as a listener's error and changes nothing.
 */
export interface SessionTracer {
  /**
   * Undefined: nothing of it is recorded. `inside` is to be called at most once, with the new span, recorded or not, as the
   * current one: the async context it is called in is the one in which the work runs.
   */
  readonly start: (span: SpanStart, inside: () => void) => SessionSpan | undefined
}
