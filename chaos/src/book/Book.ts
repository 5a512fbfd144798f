/** Writes down what happens in one round. It judges nothing, but for what can only be seen at the very moment. */
import type { EventEmitter } from "node:events"
import type { SessionEvent, SessionKey, WhenBusy } from "@sojourn/core"
import { askName, callName, lifeName, place, shown } from "./names.ts"
import type { Trace } from "./Trace.ts"
import type {
  Ask,
  AskVerb,
  Call,
  CallVerb,
  ChildRecord,
  Life,
  Moment,
  Piece,
  Round,
  Save,
  SiteRecord,
  Span,
  Start,
  Stall,
  StoreOp,
  StreamRecord,
  Terms,
  Violation,
} from "./types.ts"

export interface CallTerms {
  readonly parent?: Call | undefined
  readonly fromLife?: Life | undefined
  readonly whenBusy?: WhenBusy | undefined
  readonly detach?: boolean | undefined
  readonly mustExist?: boolean | undefined
  readonly idempotent?: boolean | undefined
  readonly timeout?: number | undefined
  readonly lease?: Call | undefined
  readonly resumable?: boolean | undefined
}
export interface Told {
  readonly fulfilled: boolean
  readonly value: unknown
}

export class Book implements Round {
  readonly number: number
  readonly trace: Trace
  readonly sites: Array<SiteRecord> = []
  readonly calls: Array<Call> = []
  readonly lives: Array<Life> = []
  readonly asks: Array<Ask> = []
  readonly stalls: Array<Stall> = []
  readonly storeOps: Array<StoreOp> = []
  readonly found: Array<Violation> = []
  /** Handed in or asked, and not told. */
  readonly open = new Set<Call | Ask>()
  /** Handed in, and to begin: for the first time, or once more. */
  readonly queued = new Set<Call>()
  #ticks = 0

  constructor(number: number, trace: Trace) {
    this.number = number
    this.trace = trace
  }
  moment(): Moment {
    return { tick: ++this.#ticks, at: performance.now() }
  }
  violated(rule: string, what: string, about?: string): void {
    this.found.push({ rule, what, about })
    this.trace.add(`VIOLATION ${rule}: ${what}`)
  }

  site(name: string, terms: Terms, store: string): SiteRecord {
    const site: SiteRecord = {
      number: this.sites.length,
      name,
      terms,
      store,
      heard: [],
      drained: undefined,
      drainedAt: undefined,
      quiet: undefined,
    }
    this.sites.push(site)
    return site
  }
  hear(site: SiteRecord, event: SessionEvent): void {
    site.heard.push({ moment: this.moment(), event })
    if (event._tag.startsWith("Task") || event._tag === "Refused" || !("session" in event)) return
    const reason = "reason" in event ? ` ${event.reason}` : ""
    const leaked = "leaked" in event && event.leaked ? " leaked" : ""
    this.trace.add(
      `${event._tag}${reason}${leaked} ${place(site, event.session.key)}#${event.session.serial}`,
    )
  }

  // ── work ──

  call(verb: CallVerb, site: SiteRecord, key: string, of: CallTerms, byDefault: WhenBusy): Call {
    const handed = this.moment()
    const call: Call = {
      number: this.calls.length + 1,
      verb,
      site,
      key,
      handed,
      parent: of.parent,
      fromLife: of.fromLife,
      whenBusy: of.whenBusy ?? byDefault,
      detach: of.detach ?? false,
      mustExist: of.mustExist ?? false,
      idempotent: of.idempotent ?? false,
      timeout: of.timeout,
      boundTo: of.lease?.lease?.serial,
      resumable: of.resumable ?? false,
      aborted: undefined,
      starts: [],
      signAt: handed.at,
      nested: 0,
      closes: false,
      ends: [],
      told: undefined,
      tellings: 0,
      stream: undefined,
      lease: undefined,
    }
    this.calls.push(call)
    if (verb !== "background") {
      this.open.add(call)
      this.queued.add(call)
      if (of.parent !== undefined && !call.detach) of.parent.nested++
    }
    const how = call.whenBusy === byDefault ? "" : ` ${call.whenBusy}`
    const from = of.parent === undefined ? "" : ` from ${of.parent.number}`
    this.trace.add(`${callName(call)} handed in${how}${from}`)
    return call
  }
  start(call: Call, life: Life, signal: AbortSignal): void {
    const start: Start = { moment: this.moment(), life, stopSeen: undefined }
    call.starts.push(start)
    this.queued.delete(call)
    call.signAt = start.moment.at
    this.trace.add(`${callName(call)} starts on #${life.serial}`)
    if (life.key !== call.key || life.site !== call.site)
      this.violated("isolation", `${callName(call)} was given ${lifeName(life)}`, place(call.site, call.key))
    const stop = (): void => {
      if (call.ends.length >= call.starts.length) return
      start.stopSeen ??= this.moment()
      this.trace.add(`${callName(call)} is told to stop: ${shown(signal.reason)}`)
    }
    if (signal.aborted) stop()
    else signal.addEventListener("abort", stop, { once: true })
  }
  sign(call: Call): void {
    call.signAt = performance.now()
  }
  end(call: Call, returned: boolean, value: unknown): void {
    call.ends.push({ moment: this.moment(), returned, value })
    if (call.idempotent && call.told === undefined) this.queued.add(call)
    this.trace.add(`${callName(call)} ${returned ? "returns" : `throws ${shown(value)}`}`)
  }
  tell(call: Call, told: Told): void {
    call.tellings++
    if (call.told !== undefined) return
    call.told = { moment: this.moment(), ...told }
    this.open.delete(call)
    // A stream that can be resumed goes on without its consumer; its `started` says when it waits no more.
    if (!call.resumable) this.queued.delete(call)
    if (call.parent !== undefined && !call.detach) {
      call.parent.nested--
      this.sign(call.parent)
    }
    this.trace.add(`${callName(call)} told ${told.fulfilled ? "that it succeeded" : shown(told.value)}`)
  }

  begun(call: Call, record: StreamRecord, begun: boolean): void {
    record.begun = begun
    this.queued.delete(call)
  }

  // ── generations ──

  life(site: SiteRecord, of: { readonly key: string; readonly serial: number }, restored: unknown): Life {
    const life: Life = {
      site,
      key: of.key,
      serial: of.serial,
      opened: this.moment(),
      openEnded: undefined,
      restored,
      pieces: [],
      declared: [],
      saves: [],
      probes: [],
      children: [],
    }
    this.lives.push(life)
    this.trace.add(`${lifeName(life)} open is called`)
    return life
  }
  openEnd(life: Life, returned: boolean, value: unknown): void {
    life.openEnded = { moment: this.moment(), returned, value }
    this.trace.add(`${lifeName(life)} open ${returned ? "returns" : `throws ${shown(value)}`}`)
  }
  declare(life: Life, cause: unknown): void {
    life.declared.push(cause)
    this.trace.add(`${lifeName(life)} is declared broken: ${shown(cause)}`)
  }
  /** `arrived: false`: it is asked for, and `piece.registered` is set when it comes. */
  piece(life: Life, what: string, arrived: boolean): Piece {
    const asked = this.moment()
    const piece: Piece = {
      number: life.pieces.length + 1,
      what,
      asked,
      registered: arrived ? asked : undefined,
      releases: [],
      released: undefined,
    }
    life.pieces.push(piece)
    return piece
  }
  release(life: Life, piece: Piece): void {
    piece.releases.push(this.moment())
    this.trace.add(`${lifeName(life)} releases ${piece.what} ${piece.number}`)
  }
  releaseEnd(life: Life, piece: Piece, error: unknown): void {
    piece.released = { moment: this.moment(), error }
    const how = error === undefined ? "released" : `threw ${shown(error)}`
    this.trace.add(`${lifeName(life)} ${piece.what} ${piece.number} ${how}`)
  }

  child(life: Life, child: EventEmitter, pid: number, owned: boolean): void {
    const record: ChildRecord = { pid, owned, started: this.moment(), exited: undefined }
    life.children.push(record)
    child.once("exit", (code, signal) => {
      record.exited = this.moment()
      this.trace.add(`${lifeName(life)} child ${pid} exits: ${String(signal ?? code)}`)
    })
  }
  async storeOp<A>(store: string, key: string, answer: A | PromiseLike<A>): Promise<A> {
    const span: StoreOp = { store, key, started: this.moment(), ended: undefined }
    this.storeOps.push(span)
    try {
      return await answer
    } finally {
      span.ended = this.moment()
    }
  }
  probe(life: Life): Span {
    const span: Span = { started: this.moment(), ended: undefined }
    life.probes.push(span)
    this.trace.add(`${lifeName(life)} is probed`)
    return span
  }
  probeEnd(life: Life, span: Span, how: string): void {
    span.ended = this.moment()
    this.trace.add(`${lifeName(life)} probe ${how}`)
  }
  save(life: Life): Save {
    const save: Save = { started: this.moment(), ended: undefined, state: undefined }
    life.saves.push(save)
    this.trace.add(`${lifeName(life)} saves`)
    return save
  }
  saveEnd(life: Life, save: Save, state: unknown): void {
    save.state = state
    save.ended = this.moment()
    this.trace.add(`${lifeName(life)} ${state === undefined ? "could not save" : "saved"}`)
  }

  // ── what is no work ──

  ask(verb: AskVerb, site: SiteRecord, key: string, within: number, parent?: Call): Ask {
    const ask: Ask = {
      number: this.asks.length + 1,
      verb,
      site,
      key,
      asked: this.moment(),
      within,
      parent,
      told: undefined,
      tellings: 0,
    }
    this.asks.push(ask)
    this.open.add(ask)
    this.trace.add(`${askName(ask)} asked${within > 0 ? ` within ${within}` : ""}`)
    return ask
  }
  answer(ask: Ask, told: Told): void {
    ask.tellings++
    ask.told ??= { moment: this.moment(), ...told }
    this.open.delete(ask)
    this.trace.add(`${askName(ask)} answered ${shown(told.value)}`)
  }
}

/** Both ends of a promise, as data; never rejects. */
export const settled = async (promise: PromiseLike<unknown>): Promise<Told> => {
  try {
    return { fulfilled: true, value: await promise }
  } catch (error) {
    return { fulfilled: false, value: error }
  }
}

export const keyLabel = (key: SessionKey): string =>
  typeof key === "string" ? key : `${key.owner ?? ""}~${key.id ?? ""}`
