import type { AtOptions, CallerSignal, Options, SessionKey } from "@sojourn/core"
import { invalidOption, resolveNames } from "@sojourn/core/host"
import { lastEvent } from "./lastEvent.ts"

export type FromRequestOptions = Options<{
  /** When the client leaves before the answer is complete: stop the work that only it waits for, or let it go on. "cancel". */
  readonly onDisconnect: "cancel" | "continue"
}>

/** Anything whose sessions can be reached by key: a registry of any placement. */
export interface Reachable<Handle> {
  readonly at: (key: SessionKey, defaults?: AtOptions) => Handle
}

/** What a host knows of the client who asks. */
export interface Client {
  /** Aborts when it leaves before the answer is complete; read only if it counts. */
  readonly gone: () => CallerSignal
  /** Its `Last-Event-ID`. */
  readonly lastEventId: string | undefined
}

/**
 * The registry's own handle, bound to the key, to the client's presence and to its `Last-Event-ID`. Opens nothing.
 *
 * `Last-Event-ID` counts for `resume` alone: `stream:index`, as our events carry it, names the stream and where to go
 * on; a plain whole number is a place in the newest one. Anything else is ignored.
 *
 * @throws SessionMisuse `InvalidOption`, and `InvalidKey` as the registry does.
 */
export const bindSession = <Handle>(
  sessions: Reachable<Handle>,
  key: SessionKey,
  client: Client,
  options: FromRequestOptions | undefined,
): Handle => {
  resolveNames(options, ["onDisconnect"])
  const onDisconnect = options?.onDisconnect ?? "cancel"
  if (onDisconnect !== "cancel" && onDisconnect !== "continue")
    throw invalidOption('onDisconnect: "cancel" or "continue" is allowed.')
  const last = lastEvent(client.lastEventId)
  const signal = onDisconnect === "continue" ? undefined : client.gone()
  // Most requests resume nothing: what is not there need not be looked at.
  return sessions.at(
    key,
    last === undefined ? { signal } : { signal, after: last.index, stream: last.stream },
  )
}
