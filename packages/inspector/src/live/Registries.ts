/** The registries that are shown: those that were given, or every one of the process. */
import type { AnySessions } from "@sojourn/core"
import { type Inspection, inspectionOf, liveRegistries, watchRegistries } from "@sojourn/core/inspect"

export class Registries {
  readonly #given: ReadonlyArray<AnySessions> | undefined
  constructor(given: ReadonlyArray<AnySessions> | undefined) {
    this.#given = given
  }
  get given(): ReadonlyArray<AnySessions> | undefined {
    return this.#given
  }
  /** Those that can be looked into now. */
  all(): ReadonlyArray<Inspection> {
    const found: Array<Inspection> = []
    for (const sessions of this.#given ?? liveRegistries()) {
      const inspection = inspectionOf(sessions)
      if (inspection !== undefined) found.push(inspection)
    }
    return found
  }
  find(kind: string): Inspection | undefined {
    return this.all().find(({ name }) => name === kind)
  }
  /** Those, and the ones that come; until the result is called. */
  watch(watcher: (sessions: AnySessions) => void): () => void {
    if (this.#given === undefined) return watchRegistries(watcher)
    for (const sessions of this.#given) watcher(sessions)
    return () => {}
  }
}
