/** Whose session a request belongs to. `Args` is what a host hands its handlers: `[req, res]`, `[context]`. */
import { SessionMisuse, type SessionKey } from "@sojourn/core"

/** Where the two parts of a key come from. */
export interface KeyFrom<in Args extends ReadonlyArray<unknown>> {
  /**
   * The verified subject who asks: what your login says, or `browserOwner`. Undefined or empty: 401. Anything else that
   * is no text is a mistake of the application: 500.
   */
  readonly owner: (...args: Args) => string | undefined
  /**
   * Which of the owner's sessions; may be the client's word, since no id reaches another owner's session. A list, which is
   * what some routers make of a wildcard, is joined by `/`; `~` and `/` inside a part become `~0` and `~1`, so that no two
   * lists meet. Undefined, empty, of any other type, or over 512 characters together with the owner: 400. Left out: one
   * session per owner.
   */
  readonly id?: ((...args: Args) => string | ReadonlyArray<string> | undefined) | undefined
}

/** The longest key core takes, both parts together. */
const maxLength = 512

/** @throws SessionMisuse `InvalidKey` with a `status`: 401 without owner, 400 without a usable id; without one, 500: the owner is no text. */
export const keyOf = <Args extends ReadonlyArray<unknown>>(from: KeyFrom<Args>, ...args: Args): OwnedKey => {
  const owner = from.owner(...args)
  if (owner === undefined || owner === null || owner === "")
    throw refusedKey(401, "the request has no verified owner")
  if (typeof owner !== "string")
    throw new SessionMisuse({
      reason: "InvalidKey",
      message: `Not a session key: owner must be a string, got ${typeof owner}.`,
    })
  const id = from.id === undefined ? undefined : joined(from.id(...args))
  if (from.id !== undefined && (id === undefined || id === ""))
    throw refusedKey(400, "the request does not say which session")
  if (owner.length + (id?.length ?? 0) > maxLength) throw refusedKey(400, "it is too long")
  return id === undefined ? { owner } : { owner, id }
}
export type OwnedKey = Extract<SessionKey, { readonly owner: string }> & { readonly serial?: never }

/** A query parameter is what the client makes it: a string, a list, an object. */
const joined = (id: unknown): string | undefined => {
  if (typeof id === "string") return id
  if (!Array.isArray(id)) return undefined
  const parts: ReadonlyArray<unknown> = [...id]
  return parts.every((part) => typeof part === "string") ? parts.map(escaped).join("/") : undefined
}
/** Hosts decode each part of a wildcard: a slash inside a part must not look like one between parts. */
const escaped = (part: string): string => part.replaceAll("~", "~0").replaceAll("/", "~1")

/** A refusal of the request itself, which is the client's mistake and nobody else's. */
export const refusedKey = (status: 400 | 401, what: string): SessionMisuse =>
  Object.assign(new SessionMisuse({ reason: "InvalidKey", message: `No session key: ${what}.` }), { status })
