/** Takes verdicts on sessions, keys, kinds and the process, and raises and clears their warnings. */
import type { LiveTask } from "../observe/Live.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { Evidence, Raised } from "./ActiveWarning.ts"
import type { Book, Tally } from "./Book.ts"
import type { WarningName } from "./catalogue.ts"
import { calm, step, type Gate, type Verdict } from "./hysteresis.ts"
import type { Settings } from "./thresholds.ts"

interface Held {
  readonly name: WarningName
  gate: Gate
  /** Undefined: not raised, or not listed. */
  raised: Raised | undefined
  /** When its task was last seen. */
  look: number
}

/** A warning's name; of a task, a number for it and its warning. */
type Id = WarningName | number
/** What warnings may be about. Most have none, and keep no more than an empty field. */
export interface Subject {
  held: Map<Id, Held> | undefined
  /** Whose session it is, if it is about one. */
  ref(): SessionRef | undefined
}

const ofTasks = [
  "task-overdue",
  "task-no-progress",
  "uninterruptible",
] as const satisfies ReadonlyArray<WarningName>
/** `moving`: one of them is about to be raised or cleared. */
export type TaskWarnings = "none" | "raised" | "moving"
export type TaskWarning = (typeof ofTasks)[number]
const idOf = (name: TaskWarning, { number }: LiveTask): number =>
  number * ofTasks.length + ofTasks.indexOf(name)

const speaks = (verdict: Verdict): boolean => verdict === "bad" || verdict === "certain"

export class Judge {
  readonly #book: Book
  readonly tally: Tally
  settings: Settings
  /** Counts the looks. */
  look = 0
  constructor(book: Book, tally: Tally, settings: Settings) {
    this.#book = book
    this.tally = tally
    this.settings = settings
  }

  /** Nothing is to be done for a verdict that is not bad, unless one was before. */
  matters(subject: Subject, name: WarningName, verdict: Verdict): boolean {
    return speaks(verdict) || subject.held?.has(name) === true
  }
  /** `evidence` is asked for only where it is of use. */
  take(subject: Subject, name: WarningName, verdict: Verdict, evidence: () => Evidence): void {
    const held = subject.held?.get(name)
    if (held === undefined && !speaks(verdict)) return
    this.#step(subject, name, held ?? calmly(name), verdict, evidence, undefined)
  }
  /** The same of one of its tasks. */
  takeOf(
    task: LiveTask,
    subject: Subject,
    name: TaskWarning,
    verdict: Verdict,
    evidence: () => Evidence,
  ): void {
    if (subject.held === undefined && !speaks(verdict)) return
    const id = idOf(name, task)
    const held = subject.held?.get(id)
    if (held === undefined && !speaks(verdict)) return
    this.#step(subject, id, held ?? calmly(name), verdict, evidence, task)
  }
  #step(
    subject: Subject,
    id: Id,
    held: Held,
    verdict: Verdict,
    evidence: () => Evidence,
    task: LiveTask | undefined,
  ): void {
    const { looks, off } = this.settings
    const { name } = held
    const was = held.gate.active
    held.look = this.look
    held.gate = off.has(name) ? calm : step(held.gate, verdict, looks[name])
    const { active, streak } = held.gate
    if (active && !was) {
      const named = task === undefined ? undefined : { id: task.id, name: task.name }
      held.raised = this.#book.raise(this.tally, name, subject.ref(), named, evidence())
    } else if (active && speaks(verdict) && held.raised !== undefined) held.raised.evidence = evidence()
    if (was && !active) this.#clear(held)
    if (active || streak > 0) (subject.held ??= new Map()).set(id, held)
    else this.#drop(subject, id)
  }
  /** Tasks that were not seen in this look are gone, and their warnings with them. What is left of these. */
  dropUnseen(subject: Subject): TaskWarnings {
    let left: TaskWarnings = "none"
    for (const [id, held] of subject.held ?? []) {
      if (typeof id === "string") continue
      if (held.look !== this.look) {
        if (held.gate.active) this.#clear(held)
        this.#drop(subject, id)
      } else if (!held.gate.active || held.gate.streak > 0) left = "moving"
      else if (left === "none") left = "raised"
    }
    return left
  }
  /** It is gone itself. */
  dropAll(subject: Subject): void {
    for (const held of subject.held?.values() ?? []) if (held.gate.active) this.#clear(held)
    subject.held = undefined
  }
  #clear(held: Held): void {
    this.#book.clear(this.tally, held.name, held.raised)
    held.raised = undefined
  }
  #drop(subject: Subject, id: Id): void {
    subject.held?.delete(id)
    if (subject.held?.size === 0) subject.held = undefined
  }
}

const calmly = (name: WarningName): Held => ({ name, gate: calm, raised: undefined, look: 0 })
