/** The registries of this process, so that a drain, a dashboard or metrics see each of them without being told. */
import { processWide } from "../processWide.ts"
import type { AnySessions } from "../Sessions.ts"
import { noteCopy } from "../setup/copies.ts"

noteCopy(import.meta.url)

type Watcher = (sessions: AnySessions) => void

const registries = processWide("registries", () => new Map<string, AnySessions>())
const closing = processWide("closing", () => new WeakMap<AnySessions, number>())
const watchers = processWide("watchers", () => new Set<Watcher>())
const state = processWide("draining", () => ({ begun: false }))

/** A free display name: the given one, or `name#2`, `name#3` … while others of that name are live. */
export const displayName = (name: string): string => {
  if (!registries.has(name)) return name
  let number = 2
  while (registries.has(`${name}#${number}`)) number++
  return `${name}#${number}`
}

/** Known until it has drained. `timeouts`: those of its policy, in milliseconds. */
export const register = (
  sessions: AnySessions,
  timeouts: { readonly grace: number; readonly close: number },
): void => {
  registries.set(sessions.name, sessions)
  closing.set(sessions, timeouts.grace + timeouts.close)
  for (const watcher of watchers) watcher(sessions)
}
/** By identity: the name may be another's by now. */
export const unregister = (sessions: AnySessions): void => {
  if (registries.get(sessions.name) === sessions) registries.delete(sessions.name)
}

/** The process is on its way out: from now on it is not ready, also when every registry has drained. */
export const beginProcessDrain = (): void => void (state.begun = true)
export const processDraining = (): boolean => state.begun

/** Every registry of this process that has not drained yet, oldest first. */
export const liveRegistries = (): ReadonlyArray<AnySessions> => [...registries.values()]

/** Tells of each registry that is live, and of each that comes. The result ends it. */
export const watchRegistries = (watcher: (sessions: AnySessions) => void): (() => void) => {
  watchers.add(watcher)
  for (const sessions of liveRegistries()) watcher(sessions)
  return () => void watchers.delete(watcher)
}

/** Milliseconds that its drain may take once the turns' time is over; undefined for what is no registry of ours. */
export const closeWithin = (sessions: AnySessions): number | undefined => closing.get(sessions)
