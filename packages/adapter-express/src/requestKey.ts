import { SessionMisuse, type SessionKey } from "@sojourn/core"
import type { Request, Response } from "express"
import { clientGone } from "./clientGone.ts"

// Express types a request by its route; whatever the route, its session is found in the same way.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyRequest = Request<any, any, any, any, any>

/** Where the two parts of a key come from. */
export interface KeyFrom {
  /** The verified subject who asks: what your login says, or `browserOwner`. Undefined or empty: 401. */
  readonly owner: (req: AnyRequest, res: Response) => string | undefined
  /**
   * Which of the owner's sessions; may be the client's word, since no id reaches another owner's session. The parts of
   * a wildcard are joined by `/`. Undefined, empty or too long: 400. Left out: one session per owner.
   */
  readonly id?: ((req: AnyRequest) => string | ReadonlyArray<string> | undefined) | undefined
}

/** The longest key core takes, both parts together. */
const maxLength = 512

/** The key of a request. Throws `SessionMisuse InvalidKey` with a `status`, which `sessionErrors` and Express answer with. */
export const keyOf = (from: KeyFrom, req: AnyRequest, res: Response): SessionKey => {
  const owner = from.owner(req, res)
  if (owner === undefined || owner === null || owner === "")
    throw refused(401, "the request has no verified owner")
  if (from.id === undefined) return { owner }
  const id = joined(from.id(req))
  if (id === undefined || id === "") throw refused(400, "the request does not say which session")
  if (owner.length + id.length > maxLength) throw refused(400, "the session's id is too long")
  return { owner, id }
}

/** A query parameter is what the client makes it: a string, a list, an object. */
const joined = (id: unknown): string | undefined => {
  if (typeof id === "string") return id
  if (!Array.isArray(id) || !id.every((part) => typeof part === "string")) return undefined
  // Express decodes each part of a wildcard: a slash inside a part must not look like one between parts.
  return id.length === 1
    ? id[0]
    : id.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")
}

const refused = (status: 400 | 401, what: string): SessionMisuse =>
  Object.assign(new SessionMisuse({ reason: "InvalidKey", message: `No session key: ${what}.` }), { status })

/**
 * The parts of `fromRequest`, for sessions that are not reached through a registry's `at`: the key, and a signal that
 * aborts when the client leaves before the answer is complete.
 */
export const requestKey =
  (
    from: KeyFrom,
  ): ((req: AnyRequest, res: Response) => { readonly key: SessionKey; readonly signal: AbortSignal }) =>
  (req, res) => ({ key: keyOf(from, req, res), signal: clientGone(res) })
