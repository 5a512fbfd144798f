/** The engine behind a service's value: a value that did not come from the service's layer has none. */
import type { Registry } from "../../registry/Registry.ts"
import type { AnySessions } from "../../Sessions.ts"
import type { Engine } from "./run.ts"

const slot = Symbol("engine")
type WithEngine = AnySessions & { readonly [slot]?: Engine }

export const rememberEngine = (sessions: AnySessions, engine: Engine): void => {
  Object.defineProperty(sessions, slot, { value: engine })
}

export const engineBehind = (sessions: AnySessions): Engine => {
  const engine = (sessions as WithEngine)[slot]
  if (engine === undefined)
    throw new Error(`${sessions.name}: this service was provided by something else than its layer.`)
  return engine
}
export const registryOf = (sessions: AnySessions): Registry => engineBehind(sessions).registry
