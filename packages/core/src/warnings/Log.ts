/** Warnings as lines of a log: once when one is raised, and not again for the same within ten minutes. */
import { harmless } from "../observe/brief.ts"
import type { ActiveWarning } from "./ActiveWarning.ts"
import { warningCatalogue } from "./catalogue.ts"

const quietFor = 10 * 60_000
const mostKept = 10_000

/** Whose warning it is, as far as the log is concerned: of tasks, all of one name are one. */
const entityOf = ({ kind, name, scope, session, task }: ActiveWarning): string =>
  JSON.stringify(
    scope === "task"
      ? [name, kind, task?.name]
      : [name, kind, session?.key, session === undefined ? "" : "key"],
  )

export class Log {
  /** When each was last told, monotonic; oldest first. */
  readonly #told = new Map<string, number>()

  /** Those of which nothing has been said lately, which counts as saying it. */
  due(warnings: ReadonlyArray<ActiveWarning>, now: number): ReadonlyArray<ActiveWarning> {
    return warnings.filter((warning) => {
      const entity = entityOf(warning)
      const before = this.#told.get(entity)
      if (before !== undefined && now - before < quietFor) return false
      this.#told.delete(entity)
      this.#told.set(entity, now)
      if (this.#told.size > mostKept) this.#forgetOldest()
      return true
    })
  }
  #forgetOldest(): void {
    for (const oldest of this.#told.keys()) {
      this.#told.delete(oldest)
      return
    }
  }
}

/** For people. `more`: of so many others the same is true. No key, and nothing that steers a terminal. */
export const warningLine = (warning: ActiveWarning, more = 0): string => {
  const { advice, evidence, keyHash, kind, name, task } = warning
  const where = [
    task === undefined ? undefined : `task ${task.id} "${harmless(task.name)}"`,
    keyHash === undefined ? undefined : `session ${keyHash}`,
    kind === undefined ? "this process" : `kind "${harmless(kind)}"`,
  ].filter((part) => part !== undefined)
  const others = more === 0 ? "" : `, and ${more} more of this kind`
  const numbers = Object.entries(evidence).map(([what, value]) => `${what} ${Number(value.toFixed(3))}`)
  return `${name}: ${where.join(", ")}${others}. ${warningCatalogue[name].definition} Seen: ${numbers.join(", ")}. ${advice}`
}

/** One line for each warning and kind, however many sessions it concerns. */
export const emitWarnings = (warnings: ReadonlyArray<ActiveWarning>): void => {
  if (typeof process !== "object" || typeof process.emitWarning !== "function") return
  const groups = Map.groupBy(warnings, ({ kind, name }) => JSON.stringify([name, kind]))
  for (const [first, ...others] of groups.values()) {
    if (first === undefined) continue
    process.emitWarning(warningLine(first, others.length), {
      type: "SojournWarning",
      code: first.name,
      detail: `${first.docs} says more.`,
    })
  }
}
