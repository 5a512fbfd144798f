import type { AnySessions, Options } from "@sojourn/core"
import { invalidOption, resolveNames } from "@sojourn/core/host"
import { inspectionsOf } from "@sojourn/core/inspect"
import type { Registry, RegistryContentType } from "prom-client"
import { Collection } from "./Collection.ts"

export type MetricsOptions = Options<{
  /** Before each name, "sojourn_". Letters, digits, `_` and `:`; may be empty. */
  readonly prefix: string
  /** Only these. Left out: every registry of this process, those that come later too. */
  readonly sessions: ReadonlyArray<AnySessions>
  /**
   * Keep the trace and span of the last traced task of each bucket of `task_duration_seconds`, and show them where the
   * register prints OpenMetrics. Needs `@opentelemetry/api`; then the active span is looked up at the end of each task. false
   */
  readonly exemplars: boolean
  /** Look once a second for what goes wrong slowly, as `watchWarnings` does, and count it. true */
  readonly warnings: boolean
}>

const usualPrefix = "sojourn_"
const allowedPrefix = /^(?:[a-zA-Z_:][a-zA-Z0-9_:]*)?$/

const collections = new WeakMap<Registry<RegistryContentType>, Collection>()

/**
 * Shows the metrics of registries of sessions in a register of prom-client, until it is disposed. Its numbers are counted by
 * the registries themselves and read when the register is scraped: nothing runs between scrapes but one look a second at the
 * event loop and for warnings, which keep no process alive. Labels are kinds, task names, states and reasons, never keys or owners.
 *
 * Once per register: a second call joins the first and adds its `sessions`; the metrics go when both are disposed.
 *
 * @throws SessionMisuse `InvalidOption`
 * @throws Error of prom-client, when the register has another metric of such a name; nothing is registered then.
 */
export const collectSessionMetrics = (
  register: Registry<RegistryContentType>,
  options?: MetricsOptions,
): Disposable => {
  resolveNames(options, ["exemplars", "prefix", "sessions", "warnings"])
  if (typeof (register as Partial<typeof register> | undefined)?.registerMetric !== "function")
    throw invalidOption("register: a Registry of prom-client is allowed.")
  const before = collections.get(register)
  const prefix = prefixOf(options?.prefix ?? before?.prefix ?? usualPrefix)
  if (before !== undefined && before.prefix !== prefix)
    throw invalidOption(`prefix: this register has the metrics already, under "${before.prefix}".`)
  const exemplars = flagOf("exemplars", options?.exemplars) ?? false
  const warnings = flagOf("warnings", options?.warnings) ?? true
  const only = options?.sessions === undefined ? undefined : inspectionsOf(options.sessions)
  const collection = before ?? new Collection(register, prefix)
  try {
    collection.show()
  } catch (error) {
    if (before === undefined) collection.end()
    throw error
  }
  collections.set(register, collection)
  collection.holders++
  if (only === undefined) collection.registries.watchAll()
  else for (const inspection of only) collection.registries.add(inspection)
  if (exemplars) collection.registries.showExemplars()
  if (warnings) collection.warnings.add(options?.sessions)
  let held = true
  return {
    [Symbol.dispose]: () => {
      if (!held) return
      held = false
      if (--collection.holders > 0) return
      collections.delete(register)
      collection.end()
    },
  }
}

const prefixOf = (prefix: unknown): string => {
  if (typeof prefix !== "string" || !allowedPrefix.test(prefix))
    throw invalidOption("prefix: letters, digits, _ and : are allowed, and no digit at the beginning.")
  return prefix
}
const flagOf = (name: string, given: unknown): boolean | undefined => {
  if (given !== undefined && typeof given !== "boolean")
    throw invalidOption(`${name}: true or false is allowed.`)
  return given
}
