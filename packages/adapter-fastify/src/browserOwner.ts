import { BrowserOwners, checkProxy, type BrowserOwnerOptions, type OwnerCounts } from "@sojourn/http"
import type { AnyReply, AnyRequest } from "./fastify.ts"

export type BrowserOwner = ((request: AnyRequest, reply: AnyReply) => string) & {
  /** Since the process began, for metrics. */
  readonly counts: () => OwnerCounts
}

/**
 * An owner for visitors who have not logged in: a random id of ours (160 bits) in a signed cookie. No cookie: a new
 * owner. A forged one: 401, and it is taken away; nothing is opened. It tells browsers apart, not people: it is no login.
 *
 * Call it before the answer is sent. Two first requests at the same time are two owners: let the page itself make the
 * first one. Behind a proxy set Fastify's `trustProxy`, or the cookie is never Secure and all visitors come from one
 * address.
 *
 * @throws SessionMisuse `InvalidOption`; from a request: `InvalidKey` with `status` 401, SessionRefused `MaxNewOwners`.
 */
export const browserOwner = (options: BrowserOwnerOptions): BrowserOwner => {
  const owners = new BrowserOwners(options)
  const owner = (request: AnyRequest, reply: AnyReply): string => {
    // Fastify does not tell the setting, but only with it a request has `ips`.
    checkProxy(request.headers, () => request.ips !== undefined, "Set Fastify's `trustProxy`.")
    return owners.of(request, {
      cookies: request.headers.cookie,
      secure: request.protocol === "https",
      address: () => request.ip,
      set: (cookie) => {
        // A shared cache that kept this answer would hand one visitor's cookie to the next.
        if (!reply.hasHeader("cache-control")) reply.header("cache-control", "private")
        reply.header("set-cookie", cookie)
        reply.header("vary", [reply.getHeader("vary") ?? [], "Cookie"].flat().join(", "))
      },
    })
  }
  return Object.assign(owner, { counts: () => owners.counts })
}
