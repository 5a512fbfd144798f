/**
 * The registries whose numbers are shown. One that has drained is let go of, with all it holds, and its counts are kept:
 * a counter never goes down.
 */
import type { AnySessions } from "@sojourn/core"
import { type Inspection, inspectionOf, liveRegistries, watchRegistries } from "@sojourn/core/inspect"
import { catalogue, type Definition, type Reading } from "./catalogue.ts"
import { Labels } from "./Labels.ts"
import { Series } from "./Series.ts"

interface Member {
  readonly kind: string
  readonly inspection: Inspection
}
export type Frame = ReadonlyMap<Definition, Series>

const empty = (): Map<Definition, Series> =>
  new Map(catalogue.map((definition) => [definition, new Series(definition)]))

const read = (inspection: Inspection): Reading => ({
  inspection,
  gauges: inspection.gauges(),
  tasks: [...inspection.tasks()],
  oldestTaskSince: inspection.oldestTaskSince(),
})

export class Collected implements Disposable {
  readonly #labels = new Labels()
  readonly #members = new Set<Member>()
  readonly #known = new WeakSet<AnySessions>()
  readonly #ended = empty()
  #unwatch: (() => void) | undefined
  #frame: Frame | undefined

  watchAll(): void {
    this.#unwatch ??= watchRegistries((sessions) => {
      const inspection = inspectionOf(sessions)
      // A copy of core from before there was anything to read.
      if (inspection !== undefined) this.add(inspection)
    })
  }
  add(inspection: Inspection): void {
    const { name, sessions } = inspection
    if (this.#known.has(sessions)) return
    this.#known.add(sessions)
    // Where registries come and go and nobody scrapes, those that went are not kept until somebody does.
    this.#letGo()
    this.#members.add({ kind: this.#labels.kindOf(name), inspection })
    this.#frame = undefined
  }
  /** One look at each registry in one scrape: a register asks for all its metrics in one go. */
  frame(): Frame {
    if (this.#frame !== undefined) return this.#frame
    this.#letGo()
    const frame = empty()
    for (const [definition, series] of frame) {
      const ended = this.#ended.get(definition)
      if (ended !== undefined) series.addAll(ended)
    }
    for (const member of this.#members)
      this.#each(member, (definition, ...rest) => frame.get(definition)?.take(...rest))
    this.#frame = frame
    queueMicrotask(() => (this.#frame = undefined))
    return frame
  }
  [Symbol.dispose](): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    this.#members.clear()
  }

  #letGo(): void {
    const live = new Set(liveRegistries())
    for (const member of this.#members) {
      const { inspection } = member
      // What has leaked may still end.
      if (live.has(inspection.sessions) || inspection.gauges().leaked > 0) continue
      this.#members.delete(member)
      this.#each(member, (definition, ...rest) => this.#ended.get(definition)?.keep(...rest))
    }
  }
  #each(
    { inspection, kind }: Member,
    use: (definition: Definition, kind: string, reading: Reading, taskOf: (name: string) => string) => void,
  ): void {
    const reading = read(inspection)
    const taskOf = (name: string): string => this.#labels.taskOf(kind, name)
    for (const definition of catalogue) use(definition, kind, reading, taskOf)
  }
}
