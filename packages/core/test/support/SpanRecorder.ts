/** A tracer that keeps what it is asked for, with what an exporter would reject: anything after the end. */
import { AsyncLocalStorage } from "node:async_hooks"
import type {
  SessionSpan,
  SessionTracer,
  SpanAttributes,
  SpanEnd,
  SpanStart,
  SpanSubject,
} from "../../src/observe/Span.ts"
import { Tracing } from "../../src/observe/Tracing.ts"
import type { Registry } from "../../src/registry/Registry.ts"
import type { Face } from "./faces.ts"

export class RecordedSpan implements SessionSpan {
  readonly subject: SpanSubject
  readonly name: string
  /** That was current when it started. */
  readonly parent: RecordedSpan | undefined
  readonly started: SpanStart
  attributes: SpanAttributes
  readonly events: Array<string> = []
  readonly links: Array<RecordedSpan> = []
  ended: SpanEnd | undefined
  /** That was current when it ended. */
  endedIn: RecordedSpan | undefined
  readonly #recorder: SpanRecorder

  constructor(recorder: SpanRecorder, start: SpanStart) {
    this.#recorder = recorder
    this.started = start
    this.subject = start.subject
    this.name = start.name
    this.attributes = start.attributes
    this.parent = recorder.current.getStore()
    if (start.cause instanceof RecordedSpan) this.links.push(start.cause)
  }
  /** A line of it: `increment test succeeded`, `close test failed Broken`. */
  get line(): string {
    const { "sojourn.reason": reason } = this.attributes
    return [this.name, this.ended?.outcome ?? "open", reason].filter((word) => word !== undefined).join(" ")
  }
  set(attributes: SpanAttributes): void {
    this.#alive("set")
    this.attributes = { ...this.attributes, ...attributes }
  }
  event(name: string, attributes?: SpanAttributes): void {
    this.#alive(name)
    this.events.push([name, ...Object.values(attributes ?? {})].join(" "))
  }
  link(to: SessionSpan): void {
    this.#alive("link")
    if (to instanceof RecordedSpan) this.links.push(to)
  }
  /** Numbers of spans: the first is 0. */
  get number(): number {
    return this.#recorder.spans.indexOf(this)
  }
  get linked(): ReadonlyArray<number> {
    return this.links.map(({ number }) => number)
  }
  end(how: SpanEnd): void {
    this.#alive("end")
    this.ended = how
    this.endedIn = this.#recorder.current.getStore()
  }
  #alive(what: string): void {
    this.#recorder.called(what)
    if (this.ended !== undefined) this.#recorder.late.push(`${what} of ${this.line}`)
  }
}

export class SpanRecorder implements SessionTracer {
  readonly current = new AsyncLocalStorage<RecordedSpan>()
  readonly spans: Array<RecordedSpan> = []
  /** What was asked of spans that had ended. */
  readonly late: Array<string> = []
  /** Called at every call: to throw, or to call back in. */
  called: (what: string) => void = () => {}

  start(start: SpanStart, inside: () => void): SessionSpan {
    this.called("start")
    const span = new RecordedSpan(this, start)
    this.spans.push(span)
    this.current.run(span, inside)
    return span
  }
  of(subject: SpanSubject): ReadonlyArray<RecordedSpan> {
    return this.spans.filter((span) => span.subject === subject)
  }
  get lines(): ReadonlyArray<string> {
    return this.spans.map(({ line }) => line)
  }
  get open(): ReadonlyArray<string> {
    return this.spans.filter(({ ended }) => ended === undefined).map(({ line }) => line)
  }
  trace(registry: Registry): void {
    registry.tracing = new Tracing(registry, this)
  }
  /** The same worlds, traced. */
  over({ face, world }: Face): Face {
    return {
      face,
      world: (...given) => {
        const made = world(...given)
        this.trace(made.registry)
        return made
      },
    }
  }
}
