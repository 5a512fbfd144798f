/**
 * The registries of this process, so that a drain, a dashboard or metrics see each of them without being told. Kept on
 * `globalThis`, because two copies of this package still share one process.
 */
import type { AnySessions } from "../Sessions.ts"

const slot: unique symbol = Symbol.for("@sojourn/core/registries") as never
const shared: { [slot]?: Map<string, AnySessions> } = globalThis as object
const registries: Map<string, AnySessions> = (shared[slot] ??= new Map<string, AnySessions>())

/** A free display name: the given one, or `name#2`, `name#3` … while others of that name are live. */
export const displayName = (name: string): string => {
  if (!registries.has(name)) return name
  let number = 2
  while (registries.has(`${name}#${number}`)) number++
  return `${name}#${number}`
}

/** Known until it has drained. */
export const register = (sessions: AnySessions): void => void registries.set(sessions.name, sessions)
/** By identity: the name may be another's by now. */
export const unregister = (sessions: AnySessions): void => {
  if (registries.get(sessions.name) === sessions) registries.delete(sessions.name)
}

/** Every registry of this process that has not drained yet, oldest first. */
export const liveRegistries = (): ReadonlyArray<AnySessions> => [...registries.values()]
