/**
 * The registries whose numbers are shown. One that has drained is let go of, with all it holds, and its counts are kept:
 * a counter never goes down.
 */
import type { AnySessions } from "@sojourn/core"
import { type Inspection, inspectionOf, liveRegistries, watchRegistries } from "@sojourn/core/inspect"
import { catalogue, type Definition, type Reading, runs } from "./catalogue.ts"
import { Exemplars } from "./Exemplars.ts"
import { kindIn, Labels } from "./Labels.ts"
import type { Sample } from "./samplesOf.ts"
import { Series } from "./Series.ts"
import type { Slices } from "./Slices.ts"

interface Member {
  readonly kind: string
  readonly inspection: Inspection
  unwatch: (() => void) | undefined
}

export class Collected implements Disposable {
  readonly #labels = new Labels()
  readonly #members = new Set<Member>()
  readonly #known = new WeakSet<AnySessions>()
  readonly #series: ReadonlyMap<Definition, Series>
  #exemplars: Exemplars | undefined
  #unwatch: (() => void) | undefined
  /** Registries, or what they count, that could not be read. */
  errors = 0

  constructor(prefix: string) {
    this.#series = new Map(
      catalogue.map((definition) => [definition, new Series(definition, prefix + definition.name)]),
    )
  }
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
    const member: Member = { kind: this.#labels.kindOf(name), inspection, unwatch: undefined }
    this.#members.add(member)
    this.#watchEnds(member)
  }
  showExemplars(): void {
    if (this.#exemplars !== undefined) return
    this.#exemplars = new Exemplars(runs)
    for (const member of this.#members) this.#watchEnds(member)
  }
  /** Looks at every registry, once for all metrics of a scrape. */
  async look(slices: Slices): Promise<void> {
    this.#letGo()
    for (const series of this.#series.values()) series.begin()
    // Who is let go of in a pause is still read: what is kept of it shows from the next look on.
    const members = [...this.#members]
    for (const member of members) {
      await slices.pause()
      this.#each(member, (series, reading) => series.take(reading))
    }
  }
  samples(definition: Definition, shared: boolean): Array<Sample> {
    const series = this.#series.get(definition)
    const exemplars = definition.name === "task_duration_seconds" ? this.#exemplars : undefined
    return (
      series?.samples(
        shared,
        exemplars === undefined ? undefined : ([kind, task]) => exemplars.find(kind, task),
      ) ?? []
    )
  }
  [Symbol.dispose](): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    for (const { unwatch } of this.#members) unwatch?.()
    this.#members.clear()
  }

  #watchEnds(member: Member): void {
    const { inspection, kind } = member
    member.unwatch ??= this.#exemplars?.watch(inspection, kind, (name) => this.#labels.taskOf(kind, name))
  }
  #letGo(): void {
    const live = new Set(liveRegistries())
    for (const member of this.#members) {
      const { inspection } = member
      // What has leaked may still end.
      if (live.has(inspection.sessions) || this.#leaks(inspection)) continue
      this.#members.delete(member)
      member.unwatch?.()
      this.#each(member, (series, reading) => series.keep(reading))
    }
  }
  #leaks(inspection: Inspection): boolean {
    return this.#guarded(() => inspection.gauges().leaked > 0) ?? false
  }
  #each(member: Member, use: (series: Series, reading: Reading) => void): void {
    const reading = this.#guarded(() => this.#read(member))
    if (reading === undefined) return
    for (const series of this.#series.values()) this.#guarded(() => use(series, reading))
  }
  /** What cannot be read is left out: the rest is shown all the same. */
  #guarded<A>(read: () => A): A | undefined {
    try {
      return read()
    } catch {
      this.errors++
      return undefined
    }
  }
  #read({ inspection, kind }: Member): Reading {
    const tasks = [...inspection.tasks()]
    const taskOf = (name: string): string => this.#labels.taskOf(kind, name)
    let others = inspection.totals.otherTasks
    for (const { name, started } of tasks) if (taskOf(name) !== name) others += started
    return {
      inspection,
      kind,
      hasLabel: kindIn(inspection.name) === kind,
      gauges: inspection.gauges(),
      tasks,
      taskOf,
      others,
      oldestTaskSince: inspection.oldestTaskSince(),
    }
  }
}
