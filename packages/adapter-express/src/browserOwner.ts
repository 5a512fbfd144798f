import { BrowserOwners, checkProxy, type BrowserOwnerOptions, type OwnerCounts } from "@sojourn/http"
import type { Response } from "express"
import type { AnyRequest, AnyResponse, RoutedRequest } from "./express.ts"

export interface BrowserOwner {
  (req: AnyRequest, res: AnyResponse): string
  // The last one is what an `id` beside it is inferred from: a request with all that Express gives it.
  (req: RoutedRequest, res: Response): string
  /** Since the process began, for metrics. */
  readonly counts: () => OwnerCounts
}

/**
 * An owner for visitors who have not logged in: a random id of ours (160 bits) in a signed cookie. No cookie: a new
 * owner. A forged one: 401, and it is taken away; nothing is opened. It tells browsers apart, not people: it is no login.
 *
 * Call it before the answer's headers are sent. Two first requests at the same time are two owners: let the page itself
 * make the first one. Behind a proxy set Express's "trust proxy", or the cookie is never Secure and all visitors come
 * from one address.
 *
 * @throws SessionMisuse `InvalidOption`; from a request: `InvalidKey` with `status` 401, SessionRefused `MaxNewOwners`.
 */
export const browserOwner = (options: BrowserOwnerOptions): BrowserOwner => {
  const owners = new BrowserOwners(options)
  const owner = (req: AnyRequest, res: AnyResponse): string => {
    checkProxy(req.headers, () => trustsProxy(req), 'Set `app.set("trust proxy", …)`.')
    return owners.of(req, {
      cookies: req.headers.cookie,
      secure: req.secure,
      address: () => req.ip,
      set: (cookie) => {
        // A shared cache that kept this answer would hand one visitor's cookie to the next.
        if (!res.hasHeader("cache-control")) res.setHeader("cache-control", "private")
        res.appendHeader("set-cookie", cookie)
        res.vary("Cookie")
      },
    })
  }
  return Object.assign(owner, { counts: () => owners.counts })
}

/** False unless it was set; a mounted application inherits it. */
const trustsProxy = (req: AnyRequest): boolean => {
  const setting = req.app.get("trust proxy")
  return setting !== false && setting !== undefined
}
