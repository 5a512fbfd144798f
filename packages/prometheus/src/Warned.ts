/** The warnings of the registries that are shown, counted: one watch for all who have asked, which logs nothing. */
import type { AnySessions } from "@sojourn/core"
import {
  type WarningCount,
  warningDefinitions,
  type WarningSeverity,
  type WarningWatch,
  watchWarnings,
} from "@sojourn/core/warnings"

export interface CountedWarning extends WarningCount {
  readonly name: string
  readonly severity: WarningSeverity
}

export class Warned implements Disposable {
  #watch: WarningWatch | undefined
  readonly #sessions = new Set<AnySessions>()
  #all = false

  /** Of these besides those before; undefined: of every registry of the process. */
  add(sessions: ReadonlyArray<AnySessions> | undefined): void {
    if (this.#all) return
    if (sessions === undefined) this.#all = true
    else for (const one of sessions) this.#sessions.add(one)
    const before = this.#watch
    this.#watch = watchWarnings({ log: false, sessions: this.#all ? undefined : [...this.#sessions] })
    // Not before: what the watch has counted ends with the last who asks for it.
    before?.[Symbol.dispose]()
  }
  /** In the order of the catalogue; none while nobody has asked. */
  counts(): ReadonlyArray<CountedWarning> {
    const counts = this.#watch?.counts()
    if (counts === undefined) return []
    return warningDefinitions.map(({ name, severity }) => ({
      name,
      severity,
      active: counts[name].active,
      muted: counts[name].muted,
      activations: counts[name].activations,
    }))
  }
  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]()
    this.#watch = undefined
  }
}
