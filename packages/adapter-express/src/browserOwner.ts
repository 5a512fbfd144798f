import { SessionMisuse, type Options } from "@sojourn/core"
import { parseCookie } from "cookie"
import type { CookieOptions, Response } from "express"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import type { AnyRequest } from "./requestKey.ts"

export type BrowserOwnerOptions = {
  /** At least 16 characters, from outside the code. A list rotates: the first signs, all verify. */
  readonly secret: string | ReadonlyArray<string>
} & Options<{
  /** The cookie's name; with `__Host-` before it when the browser can hold us to that. "sojourn". */
  readonly name: string
  /** As for `res.cookie`. HttpOnly, SameSite=Lax, path "/", Secure when the request is; it ends with the browser. */
  readonly cookie: CookieOptions
}>

const idBytes = 20
const shape = /^([0-9a-f]{40})\.([\w-]{43})$/

/**
 * An owner for visitors who have not logged in: a random id of ours (160 bits) in a signed cookie. A cookie that is
 * forged, damaged or signed with a forgotten secret gets a new owner, never an existing one. Sets the cookie when there
 * is none yet, so call it before the answer's headers are sent. It tells browsers apart, not people: it is no login.
 *
 * Two first requests at the same time are two owners: let the page itself make the first one. Behind a proxy set
 * Express's "trust proxy", or the cookie is never Secure.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const browserOwner = (options: BrowserOwnerOptions): ((req: AnyRequest, res: Response) => string) => {
  const secrets = checkedSecrets(options.secret)
  const name = checkedName(options.name ?? "sojourn")
  const known = new WeakMap<AnyRequest, string>()

  return (req, res) => {
    // Once a request: a second call must not set a second cookie.
    const before = known.get(req)
    if (before !== undefined) return before
    const cookie: CookieOptions = {
      httpOnly: true,
      sameSite: "lax",
      path: "/",
      secure: req.secure,
      ...options.cookie,
    }
    // What the prefix promises: no sub-domain and no plain HTTP page has set it.
    const bound = cookie.secure === true && cookie.path === "/" && cookie.domain === undefined
    const fullName = bound ? `__Host-${name}` : name
    const presented = verified(secrets, parseCookie(req.headers.cookie ?? "")[fullName])
    const id = presented?.id ?? randomBytes(idBytes).toString("hex")
    if (presented?.fresh !== true) {
      // A shared cache that kept this answer would hand one visitor's cookie to the next.
      if (!res.hasHeader("cache-control")) res.setHeader("cache-control", "private")
      res.cookie(fullName, `${id}.${sign(secrets[0], id)}`, cookie)
    }
    res.vary("Cookie")
    known.set(req, id)
    return id
  }
}

type Secrets = readonly [string, ...ReadonlyArray<string>]

/** `fresh`: signed with the newest secret. Each is tried, and compared in constant time. */
const verified = (
  secrets: Secrets,
  text: string | undefined,
): { readonly id: string; readonly fresh: boolean } | undefined => {
  const [, id, mac] = shape.exec(text ?? "") ?? []
  if (id === undefined || mac === undefined) return undefined
  // The text is compared, not the bytes it stands for: base64url can write the same bytes in several ways.
  const at = secrets.findIndex((secret) => timingSafeEqual(Buffer.from(sign(secret, id)), Buffer.from(mac)))
  return at === -1 ? undefined : { id, fresh: at === 0 }
}

/** The purpose is signed as well: whatever else is signed with this secret is no cookie of ours. */
const sign = (secret: string, id: string): string =>
  createHmac("sha256", secret).update(`sojourn browser owner 1:${id}`).digest("base64url")

const checkedSecrets = (given: string | ReadonlyArray<string>): Secrets => {
  const [first, ...others] = Array.isArray(given) ? (given as ReadonlyArray<string>) : [given as string]
  if (
    first === undefined ||
    [first, ...others].some((secret) => typeof secret !== "string" || secret.length < 16)
  ) {
    throw wrong("secret: one text of at least 16 characters, or a list of such texts, is needed.")
  }
  return [first, ...others]
}
const checkedName = (name: string): string => {
  if (/^[\w-]{1,64}$/.test(name) && !/^__(?:host|secure)-/i.test(name)) return name
  throw wrong(
    "name: 1 to 64 letters, digits, - and _, without a __Host- or __Secure- of its own, are allowed.",
  )
}
const wrong = (message: string): SessionMisuse => new SessionMisuse({ reason: "InvalidOption", message })
