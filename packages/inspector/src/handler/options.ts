import type { AnySessions, Options, SessionRef } from "@sojourn/core"
import { checkedFunction, checkObject, resolveNames } from "@sojourn/core/host"
import { inspectionsOf } from "@sojourn/core/inspect"
import type { ActionRecord } from "../protocol/actions.ts"
import type { ActionName, Role } from "../protocol/words.ts"

/** `Req`: what the host calls a request. */
export type InspectorOptions<Req> = Options<{
  /**
   * Who may see, and who may act: `"view"`, `"operate"` (both), or undefined for nobody: 403. It must go by what the application
   * has verified, such as a login. Without it only requests of this machine to a loopback name are answered, and may act.
   */
  readonly authorize: (req: Req) => Role | undefined | PromiseLike<Role | undefined>
  /** Instead of every registry of the process. */
  readonly sessions: ReadonlyArray<AnySessions>
  /**
   * What is shown of a session besides the hash of its key, at most 256 characters. Without it no key, id or owner leaves the
   * process. Asked once for each session, and kept; what it throws shows nothing.
   */
  readonly show: (session: SessionRef) => string
  /**
   * Told of each action before it is carried out: for an audit log. It is waited for; where it throws or rejects, the action is
   * refused. `session`: undefined where it concerns a whole registry, or many.
   */
  readonly onAction: (
    by: Req,
    action: ActionName,
    session: SessionRef | undefined,
    record: ActionRecord,
  ) => unknown
}>

/** @throws SessionMisuse `InvalidOption` */
export const checkOptions = <Req>(
  options: InspectorOptions<Req>,
  also: ReadonlyArray<string> = [],
): InspectorOptions<Req> => {
  checkObject("options", options)
  resolveNames(options, ["authorize", "sessions", "show", "onAction", ...also])
  for (const name of ["authorize", "show", "onAction"] as const)
    if (options[name] !== undefined) checkedFunction(name, options[name])
  const { sessions } = options
  if (sessions === undefined) return options
  inspectionsOf(sessions)
  return { ...options, sessions: [...sessions] }
}
