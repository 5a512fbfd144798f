/**
 * The one watch of a process, however many ask for it: it looks once a second while anybody does, and keeps no process
 * alive. Thresholds and mutes are the process's too: what is wrong does not depend on who asks.
 */
import { inspectionOf } from "../observe/inspect.ts"
import type { Inspection } from "../observe/Inspection.ts"
import { watchRegistries } from "../registry/process.ts"
import type { AnySessions } from "../Sessions.ts"
import type { Alarm, TimeSource } from "../time/TimeSource.ts"
import type { ActiveWarning } from "./ActiveWarning.ts"
import { Book, Tally, type WarningChange } from "./Book.ts"
import { warningDefinitions } from "./catalogue.ts"
import { KindWatch } from "./KindWatch.ts"
import { emitWarnings, Log } from "./Log.ts"
import type { ProcessSource } from "./processReadings.ts"
import { ProcessWatch, type Lost } from "./ProcessWatch.ts"
import { kindOf, lookEvery, settingsOf, type CheckedThresholds, type Settings } from "./thresholds.ts"

/** One who asked for it. */
export interface Client {
  /** Undefined: every registry of the process. */
  readonly sessions: ReadonlyArray<AnySessions> | undefined
  readonly thresholds: CheckedThresholds
  readonly kinds: ReadonlyMap<string, CheckedThresholds>
  readonly log: "default" | ((warning: ActiveWarning) => unknown) | undefined
  readonly listeners: Set<(change: WarningChange) => unknown>
}

export class Watch {
  readonly #time: TimeSource
  readonly #source: () => ProcessSource
  readonly book: Book
  readonly #log = new Log()
  readonly #clients = new Set<Client>()
  readonly #kinds = new Map<AnySessions, KindWatch>()
  readonly #tallies = new WeakMap<AnySessions, Tally>()
  readonly processTally = new Tally(undefined)
  /** Of registries that are gone. */
  readonly #gone = new Tally(undefined)
  readonly #alarm: Alarm
  #process: ProcessWatch | undefined
  #unwatch: (() => void) | undefined
  /** What registries that are gone have lost. */
  #lostBefore: Lost = { dropped: 0, others: 0 }
  #dueAt = 0
  /** Epoch milliseconds; undefined: it has not looked yet. */
  evaluatedAt: number | undefined = undefined
  /** What listeners and logs threw, and mistakes of ours. */
  errors = 0

  constructor(time: TimeSource, source: () => ProcessSource) {
    this.#time = time
    this.#source = source
    this.book = new Book(time.epoch)
    this.#alarm = time.alarm(() => this.#ring())
  }

  add(client: Client): void {
    this.#clients.add(client)
    this.#settingsChanged()
    if (client.sessions === undefined) this.#unwatch ??= watchRegistries((sessions) => this.#join(sessions))
    for (const sessions of client.sessions ?? []) this.#join(sessions)
    if (this.#process !== undefined) return
    this.#process = new ProcessWatch(
      this.book,
      this.processTally,
      this.settingsFor(undefined),
      this.#source(),
      this.#lost,
    )
    this.#setAlarm()
  }
  remove(client: Client): void {
    if (!this.#clients.delete(client)) return
    if (!this.#wantsAll) {
      this.#unwatch?.()
      this.#unwatch = undefined
    }
    for (const [sessions, kind] of this.#kinds) if (!this.#wants(sessions)) this.#leave(sessions, kind)
    this.#settingsChanged()
    if (this.#clients.size > 0) return
    this.#alarm.clear()
    this.#process?.end()
    this.#process = undefined
    this.book.takeChanges()
    this.evaluatedAt = undefined
  }
  get clients(): number {
    return this.#clients.size
  }
  get #wantsAll(): boolean {
    return [...this.#clients].some(({ sessions }) => sessions === undefined)
  }
  #wants(sessions: AnySessions): boolean {
    return [...this.#clients].some((client) => client.sessions?.includes(sessions) ?? true)
  }
  #join(sessions: AnySessions): void {
    if (this.#kinds.has(sessions)) return
    const inspection = inspectionOf(sessions)
    // A registry of a version that does not know of changes.
    if (typeof inspection?.watchChanges !== "function" || inspection.phase === "drained") return
    const settings = this.settingsFor(inspection.name)
    this.#kinds.set(sessions, new KindWatch(inspection, this.book, this.tallyOf(sessions), settings))
  }
  #leave(sessions: AnySessions, kind: KindWatch): void {
    kind.end()
    this.#kinds.delete(sessions)
    this.#lostBefore = added(this.#lostBefore, kind.inspection)
    // It will not come back; one that nobody wants to see any more may.
    if (kind.isOver)
      for (const { name } of warningDefinitions) this.#gone.activations[name] += kind.tally.activations[name]
  }
  get #lost(): Lost {
    let lost = this.#lostBefore
    for (const { inspection } of this.#kinds.values()) lost = added(lost, inspection)
    return lost
  }

  tallyOf(sessions: AnySessions): Tally {
    let tally = this.#tallies.get(sessions)
    if (tally === undefined) this.#tallies.set(sessions, (tally = new Tally(sessions.name)))
    return tally
  }
  /** Those that a client sees, of what is gone too. */
  talliesOf({ sessions }: Client): ReadonlyArray<Tally> {
    return sessions === undefined
      ? [this.processTally, this.#gone, ...[...this.#kinds.values()].map(({ tally }) => tally)]
      : [this.processTally, ...new Set(sessions.map((one) => this.tallyOf(one)))]
  }
  get now(): number {
    return this.#time.now()
  }
  /** Sessions and keys kept in mind. */
  get kept(): number {
    let kept = 0
    for (const kind of this.#kinds.values()) kept += kind.kept
    return kept
  }

  settingsFor(name: string | undefined): Settings {
    const clients = [...this.#clients]
    const own = name === undefined ? [] : clients.flatMap(({ kinds }) => kinds.get(kindOf(name)) ?? [])
    return settingsOf([...clients.map(({ thresholds }) => thresholds), ...own])
  }
  #settingsChanged(): void {
    for (const kind of this.#kinds.values()) kind.settings = this.settingsFor(kind.inspection.name)
    if (this.#process !== undefined) this.#process.settings = this.settingsFor(undefined)
  }

  #setAlarm(): void {
    this.#dueAt = this.#time.now() + lookEvery
    this.#alarm.set(lookEvery)
  }
  #ring(): void {
    if (this.#clients.size === 0) return
    const late = Math.max(0, this.#time.now() - this.#dueAt)
    this.look(late)
    // A listener may have ended the last of it.
    if (this.#clients.size > 0) this.#setAlarm()
  }
  /** Whatever goes wrong in it, the next look comes. */
  look(late: number): void {
    for (const [sessions, kind] of this.#kinds) {
      this.#guarded(() => {
        kind.look()
        if (kind.isOver) this.#leave(sessions, kind)
      })
    }
    this.#guarded(() => this.#process?.look(this.#lost, late))
    this.evaluatedAt = this.#time.epoch()
    this.book.expire(this.#time.now())
    this.#tell()
  }
  #tell(): void {
    for (const { change, of } of this.book.takeChanges())
      for (const client of this.#clients)
        if (this.sees(client, of))
          for (const listener of client.listeners) this.#guarded(() => listener(change))
    // They wait for somebody who wants to know.
    if ([...this.#clients].every(({ log }) => log === undefined)) return
    const unlogged = this.book.takeUnlogged()
    if (unlogged.length === 0) return
    const owners = new Map(unlogged)
    const due = this.#log.due([...owners.keys()], this.#time.now())
    const seenBy = (client: Client): ReadonlyArray<ActiveWarning> =>
      due.filter((warning) => this.sees(client, owners.get(warning) ?? this.processTally))
    const emitted = new Set<ActiveWarning>()
    for (const client of this.#clients) {
      const { log } = client
      if (log === undefined) continue
      for (const warning of seenBy(client)) {
        if (log === "default") emitted.add(warning)
        else this.#guarded(() => log(warning))
      }
    }
    if (emitted.size > 0) this.#guarded(() => emitWarnings([...emitted]))
  }
  /** The process's are everybody's. */
  sees(client: Client, tally: Tally): boolean {
    if (client.sessions === undefined || tally === this.processTally) return true
    return client.sessions.some((sessions) => this.#tallies.get(sessions) === tally)
  }
  /** What users' functions throw, or reject with, and what is a mistake of ours, ends nothing. */
  #guarded(work: () => unknown): void {
    try {
      const result = work()
      if (result instanceof Promise) result.catch(() => void this.errors++)
    } catch {
      this.errors++
    }
  }
}

const added = ({ dropped, others }: Lost, { totals }: Inspection): Lost => ({
  dropped: dropped + totals.droppedEvents,
  others: others + totals.otherTasks,
})
