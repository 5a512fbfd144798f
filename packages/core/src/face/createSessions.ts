/** The Promise face: a thin shell over the registry. It checks what users give, makes tasks, and hands them in. */
import type * as Clock from "effect/Clock"
import { invalidOption } from "../errors.ts"
import {
  checkedFunction,
  checkedName,
  checkObject,
  defaultCall,
  resolvePolicy,
  type ResolvedPolicy,
} from "../options.ts"
import { displayName, register, unregister } from "../registry/process.ts"
import { makeInspectable } from "../observe/inspect.ts"
import { Registry } from "../registry/Registry.ts"
import type { SessionDefinition, SessionOptions } from "../SessionOptions.ts"
import type { Sessions } from "../Sessions.ts"
import { control } from "./control.ts"
import { promiseDriver } from "./promise/OpeningHandle.ts"
import { sessionsOver } from "./promise/sessionsOver.ts"

/** For tests of ours: another clock, another source of jitter. */
export interface Inner {
  readonly clock?: Clock.Clock | undefined
  readonly random?: (() => number) | undefined
}

/**
 * A registry that keeps one warm, supervised resource per key, in this process. Opens nothing yet, and never keeps an idle
 * process alive. Create it once, at module level: made inside a request it would be one registry per request.
 *
 * @throws SessionMisuse `InvalidOption`: the message names the option, its value and what is allowed.
 */
export const createSessions = <R, H = {}, S = {}>(options: SessionOptions<R, H, S>): Sessions<R, H, S> =>
  createSessionsWith(options, {}).sessions

/** The same, with what tests look into. */
export const createSessionsWith = <R, H = {}, S = {}>(
  options: SessionOptions<R, H, S>,
  inner: Inner,
): { readonly sessions: Sessions<R, H, S>; readonly registry: Registry } => {
  const policy = checkSessionOptions(options)
  const name = displayName(options.name)
  const registry = new Registry({ name, policy, driver: promiseDriver(options.open), ...inner })
  const sessions: Sessions<R, H, S> = sessionsOver<R, H, S>(
    registry,
    control(registry, () => unregister(sessions)),
    {
      call: defaultCall(policy),
      handlers: options.handlers ?? {},
      streams: options.streams ?? {},
    },
  )
  makeInspectable(sessions, registry)
  register(sessions, policy.timeouts)
  return { sessions, registry }
}

/**
 * The options alone, for who takes them but does not create the sessions at once.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const checkSessionOptions = <R, H, S>(options: SessionOptions<R, H, S>): ResolvedPolicy => {
  const policy = resolvePolicy(options, ["name", "open", "handlers", "streams", "module"])
  checkedName("name", options.name)
  checkedFunction("open", options.open)
  checkHandlers("handlers", options.handlers)
  checkHandlers("streams", options.streams)
  for (const handler of Object.keys(options.handlers ?? {})) {
    if (Object.hasOwn(options.streams ?? {}, handler))
      throw invalidOption(`streams.${handler}: a handler has that name already.`)
  }
  return policy
}

/** A definition for a module's default export: it can be placed inline and elsewhere. Returns it as it is. */
export const defineSession = <R, H = {}, S = {}>(
  definition: SessionDefinition<R, H, S>,
): SessionDefinition<R, H, S> => definition

const checkHandlers = (option: string, given: object | undefined): void => {
  if (given === undefined) return
  checkObject(option, given)
  for (const [name, handler] of Object.entries(given))
    checkedFunction(`${option}.${checkedName(option, name)}`, handler)
}
