/** The warnings that are raised, in the words of the wire, and counted by session for rows that show them. */
import {
  warningCatalogue,
  watchWarnings,
  type ActiveWarning,
  type WarningChange,
  type WarningWatch,
} from "@sojourn/core/warnings"
import type { Names } from "../names/Names.ts"
import type { WarningCount, WarningRow, Warnings, WarningsAnswer } from "../protocol/events.ts"
import { bounds } from "../protocol/words.ts"
import { finite } from "../rows/eventRow.ts"
import { nameOf } from "../rows/taskRow.ts"
import { cleaned } from "../safety/text.ts"
import type { Registries } from "./Registries.ts"

export class Warned {
  readonly #watch: WarningWatch
  readonly #mutes = new Map<string, () => void>()
  #countedAt: number | undefined
  #bySession = new Map<string, Map<string, number>>()
  #byKind = new Map<string, number>()
  #active: ReadonlyArray<ActiveWarning> = []

  constructor(registries: Registries) {
    // Who is to be told of them in a log says so with a watch of their own.
    this.#watch = watchWarnings({
      log: false,
      ...(registries.given !== undefined && { sessions: registries.given }),
    })
  }
  /** Told of each change. */
  watch(listener: (change: WarningChange) => void): () => void {
    return this.#watch.subscribe(listener)
  }
  dispose(): void {
    this.#watch[Symbol.dispose]()
  }
  get any(): boolean {
    this.#count()
    return this.#bySession.size > 0
  }
  countOf(kind: string, key: string): number {
    return this.#bySession.get(kind)?.get(key) ?? 0
  }
  countOfKind(kind: string): number {
    this.#count()
    return this.#byKind.get(kind) ?? 0
  }
  active(names: Names): Warnings {
    this.#count()
    const total = this.#active.length
    return {
      total,
      warnings: this.#active
        .slice(-bounds.list)
        .toReversed()
        .map((warning) => warningRow(warning, names)),
    }
  }
  catalogue(): ReadonlyArray<typeof WarningCount.Type> {
    const counts = this.#watch.counts()
    return Object.values(warningCatalogue).map(({ advice, definition, docs, id, name, scope, severity }) => {
      const { activations, active, muted } = counts[name]
      return {
        name,
        id,
        severity,
        scope,
        definition: cleaned(definition, bounds.text),
        advice: cleaned(advice, bounds.text),
        docs,
        active,
        activations,
        muted,
      }
    })
  }
  recent(names: Names): WarningsAnswer["recent"] {
    return this.#watch
      .recent()
      .slice(0, bounds.list)
      .map(({ at, warning, what }) => ({ what, at, warning: warningRow(warning, names) }))
  }
  /** @throws SessionMisuse `InvalidOption`: there is no such warning. */
  mute(warning: string, kind: string | undefined, forMs: number): void {
    const end = this.#watch.mute(warning as Parameters<WarningWatch["mute"]>[0], { for: forMs, kind })
    this.unmute(warning, kind)
    this.#mutes.set(muteName(warning, kind), end)
  }
  unmute(warning: string, kind: string | undefined): boolean {
    const name = muteName(warning, kind)
    const end = this.#mutes.get(name)
    this.#mutes.delete(name)
    end?.()
    return end !== undefined
  }

  /** Once for each look of the watch. */
  #count(): void {
    const { evaluatedAt } = this.#watch
    if (evaluatedAt === this.#countedAt) return
    this.#countedAt = evaluatedAt
    this.#bySession = new Map()
    this.#byKind = new Map()
    this.#active = this.#watch.active()
    for (const { kind, session } of this.#active) {
      if (kind === undefined) continue
      this.#byKind.set(kind, (this.#byKind.get(kind) ?? 0) + 1)
      if (session === undefined) continue
      let ofKind = this.#bySession.get(kind)
      if (ofKind === undefined) this.#bySession.set(kind, (ofKind = new Map<string, number>()))
      ofKind.set(session.key, (ofKind.get(session.key) ?? 0) + 1)
    }
  }
}

const muteName = (warning: string, kind: string | undefined): string => JSON.stringify([warning, kind])

const warningRow = (warning: ActiveWarning, names: Names): WarningRow => {
  const { kind, mutedUntil, session, task } = warning
  const named = kind === undefined || session === undefined ? undefined : names.ofRef(kind, session)
  return {
    id: warning.id,
    name: warning.name,
    severity: warning.severity,
    scope: warning.scope,
    ...(kind !== undefined && { kind }),
    ...(named !== undefined && { session: named.hash }),
    ...(named?.shown !== undefined && { shown: named.shown }),
    ...(task !== undefined && {
      task: {
        id: task.id,
        name: named === undefined ? cleaned(task.name, bounds.name) : nameOf(task.name, named),
      },
    }),
    since: warning.since,
    definition: cleaned(warningCatalogue[warning.name].definition, bounds.text),
    advice: cleaned(warning.advice, bounds.text),
    docs: warning.docs,
    evidence: finite(warning.evidence),
    ...(mutedUntil !== undefined && Number.isFinite(mutedUntil) && { mutedUntil }),
  }
}
