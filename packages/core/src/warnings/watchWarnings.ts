/** What users call. */
import { invalidOption } from "../errors.ts"
import { inspectionsOf } from "../observe/inspect.ts"
import { checkedFunction, checkedName, milliseconds, resolveNames } from "../options.ts"
import { processWide } from "../processWide.ts"
import type { Options, Time } from "../SessionOptions.ts"
import type { AnySessions } from "../Sessions.ts"
import { timeSource, type TimeSource } from "../time/TimeSource.ts"
import type { ActiveWarning } from "./ActiveWarning.ts"
import type { Mute, WarningChange } from "./Book.ts"
import { warningDefinitions, type WarningId, type WarningName } from "./catalogue.ts"
import { processReadings, type ProcessSource } from "./processReadings.ts"
import {
  checkKinds,
  checkThresholds,
  isWarningName,
  type AllLimits,
  type GivenThresholds,
} from "./thresholds.ts"
import { Watch, type Client } from "./Watch.ts"

/** What is to be watched, and how. All may be left out. */
export type WatchWarningsOptions = Options<{
  /** Every registry of the process, also those that come later. */
  readonly sessions: ReadonlyArray<AnySessions>
  /** Instead of the defaults, for all kinds; `false` switches a warning off. They count for the process: the last one given wins. */
  readonly thresholds: GivenThresholds
  /** The same for one kind: the `name` given to `createSessions`. They come before those for all kinds. */
  readonly kinds: Readonly<Record<string, GivenThresholds>>
  /**
   * Where a warning that is raised is told: `process.emitWarning` unless set, one line a look for each warning of a kind;
   * `false`: nowhere. The same of the same session (of tasks: of the same name) is told once in ten minutes. A function
   * gets each on its own; what it throws is counted and dropped.
   */
  readonly log: false | ((warning: ActiveWarning) => unknown)
}>

/** Since watching began in this process. */
export interface WarningCount {
  /** Raised now, those that are muted included. */
  readonly active: number
  /** Of these, the muted ones, as far as they are listed. */
  readonly muted: number
  /** How often it was raised. */
  readonly activations: number
}

/** A look at what is wrong, once a second, until it is disposed. */
export interface WarningWatch extends Disposable {
  /** Raised now, oldest first; of one warning of one kind at most 1 000. */
  readonly active: () => ReadonlyArray<ActiveWarning>
  /** The last changes, at most 256, newest first. */
  readonly recent: () => ReadonlyArray<WarningChange>
  /** Every warning of the catalogue, from 0 on: for metrics. */
  readonly counts: () => { readonly [N in WarningName]: WarningCount }
  /** Told after each look what was raised and cleared in it, muted or not. */
  readonly subscribe: (listener: (change: WarningChange) => unknown) => Disposable & (() => void)
  /**
   * Says that it is known: it is not logged for so long, and shown as muted. When the time is over and it is still raised, it
   * is logged. For the process; the result ends it early.
   *
   * @throws SessionMisuse `InvalidOption`
   */
  readonly mute: (
    warning: WarningName | WarningId,
    options: { readonly for: Time; readonly kind?: string | undefined },
  ) => Disposable & (() => void)
  readonly mutes: () => ReadonlyArray<Mute>
  /** Those that count, for all kinds or for one; milliseconds, counts, ratios. */
  readonly thresholds: (kind?: string) => AllLimits
  /** Warnings that are switched off, for all kinds or for one. */
  readonly disabled: (kind?: string) => ReadonlyArray<WarningName>
  /** When it last looked. Epoch milliseconds; undefined: not yet. */
  readonly evaluatedAt: number | undefined
}

/** For tests of ours: other sources. */
export interface WatchInner {
  readonly time?: TimeSource | undefined
  readonly process?: (() => ProcessSource) | undefined
}

export const makeWatch = ({
  process: source = processReadings,
  time = timeSource(),
}: WatchInner = {}): Watch => new Watch(time, source)

/**
 * Watches for what goes wrong slowly: tasks that accumulate, sessions that flap, leases that leak. It takes no part in what
 * it watches. All who call it in one process share one watch, which ends with the last of them and keeps no process alive.
 *
 * @throws SessionMisuse `InvalidOption`: the message names the option, its value and what is allowed.
 */
export const watchWarnings = (options?: WatchWarningsOptions): WarningWatch =>
  watchWith(processWide("warnings", makeWatch), options)

/** The same of a watch of one's own. */
export const watchWith = (watch: Watch, options: WatchWarningsOptions | undefined): WarningWatch => {
  const client = clientOf(options)
  watch.add(client)
  return new Handle(watch, client)
}

const clientOf = (options: WatchWarningsOptions | undefined): Client => {
  resolveNames(options, ["sessions", "thresholds", "kinds", "log"])
  const { kinds, log, sessions, thresholds } = options ?? {}
  if (sessions !== undefined) inspectionsOf(sessions)
  if (log !== undefined && log !== false) checkedFunction("log", log)
  return {
    sessions: sessions === undefined ? undefined : [...sessions],
    thresholds: checkThresholds("thresholds", thresholds),
    kinds: checkKinds(kinds),
    log: log === undefined ? "default" : log === false ? undefined : log,
    listeners: new Set(),
  }
}

/** By its name or its id. */
const nameOf = (warning: string): WarningName => {
  const name = warningDefinitions.find(({ id }) => id === warning)?.name ?? warning
  if (isWarningName(name)) return name
  throw invalidOption(
    `mute: there is no such warning. Known: ${warningDefinitions.map((one) => one.name).join(", ")}.`,
  )
}
const ending = (end: () => void): Disposable & (() => void) => Object.assign(end, { [Symbol.dispose]: end })

class Handle implements WarningWatch {
  readonly #watch: Watch
  readonly #client: Client
  constructor(watch: Watch, client: Client) {
    this.#watch = watch
    this.#client = client
  }
  get evaluatedAt(): number | undefined {
    return this.#watch.evaluatedAt
  }
  readonly active = (): ReadonlyArray<ActiveWarning> => {
    const active: Array<ActiveWarning> = []
    for (const [warning, tally] of this.#watch.book.active())
      if (this.#watch.sees(this.#client, tally)) active.push(warning)
    return active
  }
  readonly recent = (): ReadonlyArray<WarningChange> =>
    this.#watch.book
      .recent()
      .flatMap(({ change, of }) => (this.#watch.sees(this.#client, of) ? [change] : []))
  readonly counts = (): { readonly [N in WarningName]: WarningCount } => {
    const muted = Map.groupBy(
      this.active().filter(({ mutedUntil }) => mutedUntil !== undefined),
      ({ name }) => name,
    )
    const tallies = this.#watch.talliesOf(this.#client)
    const counts = warningDefinitions.map(({ name }): readonly [WarningName, WarningCount] => {
      let [active, activations] = [0, 0]
      for (const tally of tallies) {
        active += tally.active[name]
        activations += tally.activations[name]
      }
      return [name, { active, activations, muted: muted.get(name)?.length ?? 0 }]
    })
    return Object.fromEntries(counts) as { [N in WarningName]: WarningCount }
  }
  readonly subscribe: WarningWatch["subscribe"] = (listener) => {
    checkedFunction("listener", listener)
    // One of its own each time, so that subscribing one function twice is told twice and ends once each.
    const own = (change: WarningChange): unknown => listener(change)
    this.#client.listeners.add(own)
    return ending(() => void this.#client.listeners.delete(own))
  }
  readonly mute: WarningWatch["mute"] = (warning, options) => {
    resolveNames(options, ["for", "kind"])
    const kind = options.kind === undefined ? undefined : checkedName("kind", options.kind)
    const ms = milliseconds("for", options.for, Infinity)
    return ending(this.#watch.book.mute(nameOf(warning), kind, ms, this.#watch.now))
  }
  readonly mutes = (): ReadonlyArray<Mute> => this.#watch.book.mutes
  readonly thresholds = (kind?: string): AllLimits => this.#watch.settingsFor(kind).limits
  readonly disabled = (kind?: string): ReadonlyArray<WarningName> => {
    return [...this.#watch.settingsFor(kind).off]
  };
  [Symbol.dispose](): void {
    this.#client.listeners.clear()
    this.#watch.remove(this.#client)
  }
}
