/**
 * The spans of a registry that has a tracer: one of each opening, task, probe and close. What happens is put down in the step
 * in which it does, and the tracer told after it (L20): of a task it is told first of all, in its caller's async context, of
 * everything else in the clean one (L19). What it throws is counted, and changes nothing (L16).
 *
 * A span is kept by what it is of, so that nothing is left of it, or asked for it, where there is none.
 */
import { captureCarrier, runClean, type Carrier } from "../context.ts"
import { hashedKey } from "../hashedKey.ts"
import { resolveKey, type ResolvedKey, type SessionKey, type SessionRef } from "../SessionKey.ts"
import type { CloseReason } from "../closeReasons.ts"
import type { Registry } from "../registry/Registry.ts"
import type { Generation } from "../session/Generation.ts"
import type { Session } from "../session/Session.ts"
import type { Task } from "../task/Task.ts"
import type { TaskOutcome } from "./Explanation.ts"
import type { OpeningOutcome } from "./Inspection.ts"
import type { SessionSpan, SessionTracer, SpanAttributes, SpanStart } from "./Span.ts"
import { bounded, kindOf, reasonOf } from "./spanTexts.ts"

const mostNames = 50
const otherTasks = "other"
const mostHashes = 1_000

/** Outcomes that are nobody's failure. */
const fine: ReadonlySet<string> = new Set(["succeeded", "cancelled", "unwanted"])

/** A span under way, and the async context in which what it is of runs. */
export class Trace {
  readonly #registry: Registry
  span: SessionSpan | undefined = undefined
  carrier: Carrier | undefined = undefined
  #ended = false
  /** Of a task that has started: how long it had waited. Milliseconds. */
  #queued: number | undefined = undefined
  /** Of a task whose caller has been told: what. */
  #told: unknown = undefined

  constructor(registry: Registry) {
    this.#registry = registry
  }

  start(tracer: SessionTracer, span: SpanStart): void {
    this.guarded(() => {
      this.span = tracer.start(span, () => {
        this.carrier = captureCarrier()
      })
    })
  }
  guarded(tell: () => void): void {
    try {
      tell()
    } catch {
      this.#registry.events.listenerErrors++
    }
  }
  /** After the step. */
  later(tell: (span: SessionSpan) => void): void {
    this.#registry.steps.after(() => {
      const { span } = this
      if (span !== undefined && !this.#ended) this.guarded(() => runClean(() => tell(span)))
    })
  }
  /** `facts`: looked up after the step. */
  end(outcome: string, error?: unknown, facts?: () => SpanAttributes): void {
    this.later((span) => {
      this.#ended = true
      const failure = fine.has(outcome) ? undefined : kindOf(error)
      // Whatever it makes of the rest, it is told of the end.
      this.guarded(() =>
        span.set({
          "sojourn.outcome": outcome,
          ...facts?.(),
          ...(failure === undefined ? undefined : { "error.type": failure }),
        }),
      )
      span.end({ outcome, failure })
    })
  }

  // ── of a task ──

  /** Its work begins, for the first time or once more. Called after the step. */
  begun(task: Task): void {
    const { span } = this
    if (span === undefined || this.#ended) return
    this.guarded(() => {
      if (this.#queued === undefined) span.event("started")
      else span.event("started again", numbersOf(task.generation))
      this.#queued ??= queueTime(task)
    })
  }
  /** Its caller is told. The span goes on while the work does. */
  told(task: Task, outcome: TaskOutcome, value: unknown): void {
    if (task.state === "ended") return this.#taskEnded(task, outcome, value)
    this.#told = value
    this.later((span) =>
      span.event("told", { "sojourn.outcome": outcome, ...reasonFor(task, outcome, value) }),
    )
  }
  /** Its work has ended, or is waited for no more. */
  settled(task: Task): void {
    if (task.outcome === undefined) return
    const told = this.#told
    this.#told = undefined
    this.#taskEnded(task, task.outcome, told)
  }
  #taskEnded(task: Task, outcome: TaskOutcome, value: unknown): void {
    this.end(outcome, value, () => {
      if (task.abandoned) this.span?.event("abandoned")
      return {
        ...numbersOf(task.generation),
        ...this.#queueTime(task),
        ...reasonFor(task, outcome, value),
        ...(task.abandoned ? { "sojourn.task.abandoned": true } : undefined),
      }
    })
  }
  #queueTime(task: Task): SpanAttributes | undefined {
    // A lease is granted, it never begins.
    const granted = task.kind === "lease" && task.generation !== undefined
    const queued = granted ? queueTime(task) : this.#queued
    return queued === undefined ? undefined : { "sojourn.task.queue_ms": queued }
  }
}

export class Tracing {
  readonly #registry: Registry
  readonly #tracer: SessionTracer
  readonly #of: SpanAttributes
  readonly #target: string
  readonly #names = new Set<string>()
  readonly #hashes = new Map<string, string | undefined>()

  constructor(registry: Registry, tracer: SessionTracer) {
    this.#registry = registry
    this.#tracer = tracer
    this.#target = bounded(registry.name)
    this.#of = { "sojourn.registry": this.#target }
  }

  /** A task is handed in: before the step, in its caller's context. */
  task(task: Task, key: SessionKey | ResolvedKey): void {
    const trace = new Trace(this.#registry)
    const name = bounded(task.name) || task.kind
    trace.guarded(() => {
      const session = this.#refOf(key)
      trace.start(this.#tracer, {
        subject: "task",
        name: `${this.#nameOf(name)} ${this.#target}`,
        session,
        attributes: {
          ...this.#of,
          ...this.#hashOf(session),
          "sojourn.task.id": task.id,
          "sojourn.task.name": name,
          "sojourn.task.kind": task.kind,
        },
        root: false,
        cause: undefined,
        lent: task.lent,
      })
    })
    task.carrier = trace.carrier
    if (trace.span !== undefined) task.more.trace = trace
  }

  opening(generation: Generation): Trace {
    const cause = firstWaiting(generation.session)?.extras?.trace
    return this.#own("open", generation, () => ({}), cause)
  }
  probe(generation: Generation, why: string): Trace {
    return this.#own("probe", generation, () => ({ "sojourn.probe.why": why }), undefined)
  }
  /** `by`: the task that found it broken. */
  close(generation: Generation, by: Task | undefined): Trace {
    return this.#own("close", generation, () => reasonAttribute(generation.reason), by?.extras?.trace)
  }
  /** A span of the session's own life. */
  #own(
    subject: "open" | "probe" | "close",
    generation: Generation,
    facts: () => SpanAttributes,
    cause: Trace | undefined,
  ): Trace {
    const registry = this.#registry
    const trace = new Trace(registry)
    registry.steps.after(() => {
      runClean(() => {
        const session = generation.ref
        trace.start(this.#tracer, {
          subject,
          name: `${subject} ${this.#target}`,
          session,
          attributes: { ...this.#of, ...this.#hashOf(session), ...numbersOf(generation), ...facts() },
          root: true,
          cause: cause?.span,
          lent: undefined,
        })
      })
    })
    return trace
  }

  /** Undefined: it is no key. */
  #refOf(key: SessionKey | ResolvedKey): SessionRef | undefined {
    const known = typeof key === "string" ? this.#registry.sessions.get(key) : undefined
    if (known?.plain === true) return known.ref
    try {
      const resolved = resolveKey(key)
      return this.#registry.find(resolved)?.ref ?? this.#registry.answers.unseen(resolved)
    } catch {
      return undefined
    }
  }
  #hashOf(session: SessionRef | undefined): SpanAttributes | undefined {
    if (session === undefined) return undefined
    const { key } = session
    let hash = this.#hashes.get(key)
    if (hash === undefined) {
      if (this.#hashes.size >= mostHashes) this.#hashes.clear()
      hash = hashedKey(key)
      this.#hashes.set(key, hash)
    }
    return hash === undefined ? undefined : { "sojourn.session.hash": hash }
  }
  /** A span's name is grouped by: what is made up anew each time must not make a group of its own. */
  #nameOf(name: string): string {
    if (this.#names.has(name)) return name
    if (this.#names.size >= mostNames) return otherTasks
    this.#names.add(name)
    return name
  }
}

/** Its opening is over, one way or the other. Before those who wait are told: they are shown what they waited for. */
export const openingEnded = (
  generation: Generation,
  trace: Trace,
  outcome: OpeningOutcome,
  error?: unknown,
): void => {
  const waiting = tracesOf(generation.session)
  trace.later((opening) => {
    for (const { span } of waiting) span?.link(opening)
  })
  const { reason } = generation
  trace.end(outcome, error, () => (outcome === "cancelled" ? reasonAttribute(reason) : {}))
}

export const closeEnded = (
  trace: Trace,
  reason: CloseReason,
  leaked: boolean,
  errors: ReadonlyArray<unknown>,
): void =>
  trace.end(
    leaked ? "leaked" : errors.length > 0 ? "failed" : "succeeded",
    leaked && errors.length === 0 ? leak : errors[0],
    () => ({
      ...reasonAttribute(reason),
      ...(errors.length > 0 ? { "sojourn.close.errors": errors.length } : undefined),
    }),
  )
const leak = { _tag: "Leaked" }

const tracesOf = (session: Session): ReadonlyArray<Trace> => {
  const traces: Array<Trace> = []
  for (const list of [session.queue, session.arrivals])
    for (let task = list?.first; task !== undefined; task = task.behind)
      if (task.extras?.trace !== undefined) traces.push(task.extras.trace)
  return traces
}
const firstWaiting = ({ arrivals, queue }: Session): Task | undefined => {
  const [turn, beside] = [queue?.first, arrivals?.first]
  if (turn === undefined || beside === undefined) return turn ?? beside
  return turn.number < beside.number ? turn : beside
}

const numbersOf = (generation: Generation | undefined): SpanAttributes | undefined =>
  generation === undefined
    ? undefined
    : { "sojourn.generation.number": generation.number, "sojourn.generation.serial": generation.serial }
const queueTime = (task: Task): number => task.startedAt - task.queuedAt
const reasonAttribute = (reason: string | undefined): SpanAttributes =>
  reason === undefined ? {} : { "sojourn.reason": reason }
/** Why it was stopped or refused. What failed by itself has no reason of ours, whatever error it threw. */
const reasonFor = (task: Task, outcome: TaskOutcome, value: unknown): SpanAttributes => {
  if (outcome === "succeeded" || outcome === "failed") return {}
  return reasonAttribute(reasonOf(value) ?? (outcome === "rejected" ? undefined : (task.cut ?? "Cancelled")))
}
