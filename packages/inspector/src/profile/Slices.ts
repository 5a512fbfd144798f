/**
 * Whose code the event loop runs, stretch by stretch. A stretch begins when Node begins a callback or goes on with an awaited
 * promise, or when Sojourn enters a run, and ends when that returns; what begins inside another one is taken out of its
 * time. It is real time: waiting for the garbage collector or for the processor is part of it.
 */
import type { Run } from "@sojourn/core/inspect"

/** `resource`: what a session's resource does by itself, in timers and on sockets that its open has made. */
export type What = Run["kind"] | "resource"

/** Of one kind of run, of one session and one name of a task. Milliseconds. */
export interface Row {
  readonly kind: string
  /** The session's canonical key. */
  readonly key: string
  readonly what: What
  readonly task: string | undefined
  /** Its run was over: it goes on, or what it was called from does. */
  readonly over: boolean
  selfMs: number
  stretches: number
  /** The longest it ran without giving the loop back or calling another's code. */
  longestMs: number
}
/** Rows that are kept apart; more are counted together. */
const mostRows = 20_000
/** More are stretches whose end was not told. */
const deepest = 1000

/** Milliseconds: what takes less is Node's own work between two callbacks. */
const worthALook = 0.05

/** What is looked at. Times are milliseconds. */
export interface Look {
  readonly now: () => number
  /** In which the loop has waited for something to do, so far. */
  readonly idle: () => number
  readonly currentRun: () => Run | undefined
}

const makeRow = (kind: string, key: string, what: What, task: string | undefined, over: boolean): Row => ({
  kind,
  key,
  what,
  task,
  over,
  selfMs: 0,
  stretches: 0,
  longestMs: 0,
})

export class Slices {
  readonly rows: Map<string, Row> = new Map()
  /** What runs for no session: the host, and Sojourn itself. */
  readonly host: Row = makeRow("", "", "turn", undefined, false)
  /** Sessions beyond the rows that are kept. */
  readonly others: Row = makeRow("", "", "turn", undefined, false)
  /** Stretches in all. */
  count = 0
  /** Of the times of all rows: what was found only when it was nearly over. */
  inferredMs = 0
  readonly #look: Look
  /** Of a run while it lives, and of what goes on after it. */
  readonly #alive = new WeakMap<Run, Row>()
  readonly #over = new WeakMap<Row, Row>()
  readonly #rowAt: Array<Row> = []
  readonly #selfAt: Array<number> = []
  #depth = 0
  /** When the last change of whose code runs was, and how long the loop had been idle by then. */
  #since: number
  #idleAt: number

  constructor(look: Look) {
    this.#look = look
    this.#since = look.now()
    this.#idleAt = look.idle()
  }
  /** A callback begins: of `run`. `called`: by code, not by Node. */
  readonly before = (run: Run | undefined, called: boolean): void => {
    if (this.#depth === 0) this.#beforeFirst(called)
    else this.#charge()
    if (this.#depth >= deepest) this.#depth = 0
    const at = this.#depth++
    this.#rowAt[at] = this.#rowOf(run)
    this.#selfAt[at] = 0
    this.count++
  }
  /** It has returned. */
  readonly after = (): void => {
    // One that had begun before anybody watched.
    if (this.#depth === 0) return
    this.#charge()
    this.#leave(--this.#depth)
    if (this.#depth === 0) this.#idleAt = this.#look.idle()
  }
  /** Code of this run goes on within the callback that is under way. */
  readonly entered = (run: Run | undefined): void => {
    const at = this.#depth - 1
    if (at < 0) return
    this.#charge()
    const row = this.#rowOf(run)
    if (row === this.#rowAt[at]) return
    this.#leave(at)
    this.#rowAt[at] = row
    this.#selfAt[at] = 0
  }
  /**
   * A promise is made or settled. Node does not tell when code goes on from an await that began before anybody watched; but
   * such code ends with its next await or its return, and each of these is told. What has passed since whatever was told before,
   * without the time in which the loop waited, was its.
   */
  readonly promise = (): void => {
    if (this.#depth > 0) return
    const self = this.#sinceThen()
    if (self > 0) this.#infer(self)
  }

  /** Before its end such code may call what is told of. */
  #beforeFirst(called: boolean): void {
    const self = this.#sinceThen()
    if (called && self > worthALook) this.#infer(self)
  }
  #sinceThen(): number {
    const now = this.#look.now()
    const idle = this.#look.idle()
    const self = now - this.#since - (idle - this.#idleAt)
    this.#since = now
    this.#idleAt = idle
    return self
  }
  #infer(self: number): void {
    this.inferredMs += self
    this.count++
    add(this.#rowOf(this.#look.currentRun()), self)
  }
  #charge(): void {
    const now = this.#look.now()
    const at = this.#depth - 1
    if (at >= 0) this.#selfAt[at] = (this.#selfAt[at] ?? 0) + now - this.#since
    this.#since = now
  }
  #leave(at: number): void {
    add(this.#rowAt[at] ?? this.host, this.#selfAt[at] ?? 0)
  }
  #rowOf(run: Run | undefined): Row {
    if (run === undefined) return this.host
    const { made, session, task } = run
    if (made !== undefined) return this.#row(made.name, made.key, "resource", undefined, false)
    const known = this.#alive.get(run)
    if (session === undefined) return known === undefined ? this.host : this.#overOf(known)
    if (known !== undefined) return known
    const row = this.#row(session.registry.name, session.key, run.kind, task?.name, false)
    this.#alive.set(run, row)
    return row
  }
  #overOf(row: Row): Row {
    let over = this.#over.get(row)
    if (over === undefined)
      this.#over.set(
        row,
        (over = row === this.others ? row : this.#row(row.kind, row.key, row.what, row.task, true)),
      )
    return over
  }
  #row(kind: string, key: string, what: What, task: string | undefined, over: boolean): Row {
    const id = `${over ? "over" : ""}\n${what}\n${kind}\n${key}\n${task ?? ""}`
    let row = this.rows.get(id)
    if (row === undefined) {
      if (this.rows.size >= mostRows) return this.others
      this.rows.set(id, (row = makeRow(kind, key, what, task, over)))
    }
    return row
  }
}

const add = (row: Row, ms: number): void => {
  row.selfMs += ms
  row.stretches++
  if (ms > row.longestMs) row.longestMs = ms
}
