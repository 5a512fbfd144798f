/** The engine behind a service's value: a value that did not come from the service's layer has none. */
import type { Registry } from "../../registry/Registry.ts"
import type { AnySessions } from "../../Sessions.ts"
import type { Engine } from "./run.ts"

const engines = new WeakMap<AnySessions, Engine>()

export const rememberEngine = (sessions: AnySessions, engine: Engine): void => void engines.set(sessions, engine)

export const engineBehind = (sessions: AnySessions): Engine => {
  const engine = engines.get(sessions)
  if (engine === undefined) throw new Error(`${sessions.name}: this service was provided by something else than its layer.`)
  return engine
}
export const registryOf = (sessions: AnySessions): Registry => engineBehind(sessions).registry
