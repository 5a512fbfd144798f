/** All that is watched of one registry. */
import type { Inspection, SessionChanges } from "../observe/Inspection.ts"
import type { LiveSession } from "../observe/Live.ts"
import { HealthWatch } from "./HealthWatch.ts"
import { Judge } from "./Judge.ts"
import type { Book, Tally } from "./Book.ts"
import { KeyWatch } from "./KeyWatch.ts"
import { KindCounters } from "./KindCounters.ts"
import { SessionWatch } from "./SessionWatch.ts"
import type { Settings } from "./thresholds.ts"
import { Usual } from "./Usual.ts"

/** Sessions that were there before, visited at one time. */
const mostOthers = 2000

export class KindWatch {
  readonly inspection: Inspection
  readonly #judge: Judge
  readonly #changes: SessionChanges
  readonly #sessions: SessionWatch
  readonly #keys: KeyWatch
  readonly #health: HealthWatch
  readonly #counters: KindCounters
  #lastLook: number

  constructor(inspection: Inspection, book: Book, tally: Tally, settings: Settings) {
    this.inspection = inspection
    const judge = new Judge(book, tally, settings)
    this.#judge = judge
    this.#changes = inspection.watchChanges()
    this.#sessions = new SessionWatch(inspection, judge, new Usual(inspection))
    this.#keys = new KeyWatch(inspection, judge)
    this.#health = new HealthWatch(inspection, judge)
    this.#counters = new KindCounters(inspection, judge)
    this.#lastLook = inspection.now()
  }
  get tally(): Tally {
    return this.#judge.tally
  }
  /** Sessions and keys kept in mind, for tests of what is kept. */
  get kept(): number {
    return this.#sessions.size + this.#keys.size + this.#health.size
  }
  set settings(settings: Settings) {
    this.#judge.settings = settings
    this.#sessions.wakeAll()
  }
  /** Drained, and nothing of it runs any more. */
  get isOver(): boolean {
    const { gauges, phase, totals } = this.inspection
    return phase === "drained" && gauges().leaked === 0 && totals.abandoned === totals.late
  }

  look(): void {
    const judge = this.#judge
    judge.look++
    const since = this.#lastLook
    const isFirst = judge.look === 1
    this.#lastLook = this.inspection.now()
    this.#changes.take((session, changed) => this.#visit(session, changed && !isFirst, since), mostOthers)
    this.#sessions.look()
    this.#keys.look()
    this.#health.look()
    this.#counters.look()
  }
  #visit(session: LiveSession, known: boolean, since: number): void {
    this.#sessions.visit(session, known)
    this.#keys.visit(session, since)
    this.#health.visit(session)
    if (known) this.#counters.visit(session, since)
  }
  end(): void {
    this.#changes[Symbol.dispose]()
    this.#sessions.end()
    this.#keys.end()
    this.#health.end()
    this.#counters.end()
  }
}
