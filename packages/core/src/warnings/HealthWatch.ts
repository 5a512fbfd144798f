/**
 * Sessions of one kind whose tasks fail, or whose resource is lost again and again. The last tasks of the registry are
 * read each time, at most the 256 that it keeps: of more in a second it is a sample.
 */
import type { Inspection } from "../observe/Inspection.ts"
import type { LiveSession } from "../observe/Live.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { Judge, Subject } from "./Judge.ts"
import { Lately } from "./Lately.ts"
import { unhealthy } from "./rules/sessions.ts"
import { quarterOf } from "./thresholds.ts"

const mostKept = 1000

class Patient implements Subject {
  readonly key: string
  session: SessionRef | undefined
  held: Subject["held"] = undefined
  failed = 0
  ended = 0
  readonly lately = new Lately()
  constructor(key: string, session: SessionRef | undefined) {
    this.key = key
    this.session = session
  }
  ref(): SessionRef | undefined {
    return this.session
  }
}

export class HealthWatch {
  readonly #inspection: Inspection
  readonly #judge: Judge
  readonly #patients = new Map<string, Patient>()
  /** Tasks that had ended, and that had failed, at the last look. */
  #ended: number
  #failed: number
  constructor(inspection: Inspection, judge: Judge) {
    this.#inspection = inspection
    this.#judge = judge
    this.#ended = this.#endedNow
    this.#failed = inspection.totals.outcomes.failed
  }
  get size(): number {
    return this.#patients.size
  }
  get #endedNow(): number {
    let sum = 0
    for (const count of Object.values(this.#inspection.totals.outcomes)) sum += count
    return sum
  }

  visit(session: LiveSession): void {
    const { losses } = this.#judge.settings.limits.unhealthy
    if (session.losses > 0 && session.losses >= losses) this.#patient(session.key, session.ref)
  }
  #patient(key: string, session: SessionRef | undefined): Patient | undefined {
    let patient = this.#patients.get(key)
    if (patient === undefined) {
      if (this.#patients.size >= mostKept) return undefined
      this.#patients.set(key, (patient = new Patient(key, session)))
      patient.lately.begin([0, 0])
    }
    return patient
  }
  get #perQuarter(): number {
    return quarterOf(this.#judge.settings.limits.unhealthy.window)
  }

  look(): void {
    this.#readEnded()
    for (const patient of this.#patients.values()) this.#lookAt(patient)
  }
  #readEnded(): void {
    const ended = this.#endedNow
    const { failed } = this.#inspection.totals.outcomes
    let left = ended - this.#ended
    const nothingFailed = failed === this.#failed
    this.#ended = ended
    this.#failed = failed
    if (left === 0 || (nothingFailed && this.#patients.size === 0)) return
    const fresh = nothingFailed ? new Set<Patient>() : this.#admit(left)
    const since = this.#inspection.now() - this.#judge.settings.limits.unhealthy.window
    for (const { endedAt, key, outcome } of this.#inspection.recent()) {
      const isNew = left-- > 0
      if (!isNew && fresh.size === 0) return
      const patient = this.#patients.get(key)
      // Of one that is new, also what came before its first failure counts.
      if (patient === undefined || (!isNew && (!fresh.has(patient) || endedAt < since))) continue
      patient.ended++
      if (outcome === "failed") patient.failed++
    }
  }
  /** Those among the last `left` tasks' sessions that had no failure before. */
  #admit(left: number): ReadonlySet<Patient> {
    const fresh = new Set<Patient>()
    for (const { key, outcome } of this.#inspection.recent()) {
      if (left-- <= 0) break
      if (outcome !== "failed" || key === "" || this.#patients.has(key)) continue
      const patient = this.#patient(key, this.#inspection.find(key)?.ref)
      if (patient !== undefined) fresh.add(patient)
    }
    return fresh
  }
  #lookAt(patient: Patient): void {
    const limits = this.#judge.settings.limits.unhealthy
    const [failed = 0, ended = 0] = patient.lately.look([patient.failed, patient.ended], this.#perQuarter)
    const session = this.#inspection.find(patient.key)
    const losses = session?.losses ?? 0
    if (session !== undefined) patient.session = session.ref
    const verdict = unhealthy({ failed, ended, losses }, limits)
    this.#judge.take(patient, "unhealthy", verdict, () => ({ failed, ended, losses }))
    if (patient.held === undefined && failed === 0 && losses < limits.losses)
      this.#patients.delete(patient.key)
  }
  end(): void {
    for (const patient of this.#patients.values()) this.#judge.dropAll(patient)
    this.#patients.clear()
  }
}
