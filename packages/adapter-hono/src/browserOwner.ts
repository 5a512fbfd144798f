import type { Options } from "@sojourn/core"
import { checkedFunction } from "@sojourn/core/host"
import {
  BrowserOwners,
  checkProxy,
  type BrowserOwnerOptions as SharedOptions,
  type OwnerCounts,
} from "@sojourn/http"
import { headersSoFar, nodeAnswer, type AnyContext } from "./hono.ts"

/** Who asks, as far as the connection or a proxy tells. */
export interface ClientSeen {
  readonly address: string | undefined
  /** Its connection is encrypted. */
  readonly secure: boolean
}

export type BrowserOwnerOptions = SharedOptions &
  Options<{
    /**
     * Who the client is, behind a proxy, since Hono has no setting for it: from headers that your proxy sets, never from
     * what a client can send. The connection's own.
     */
    readonly client: (c: AnyContext) => ClientSeen
  }>

export interface BrowserOwner {
  (c: AnyContext): string
  /** Since the process began, for metrics. */
  readonly counts: () => OwnerCounts
}

/**
 * An owner for visitors who have not logged in: a random id of ours (160 bits) in a signed cookie. No cookie: a new
 * owner. A forged one: 401, and it is taken away; nothing is opened. It tells browsers apart, not people: it is no login.
 *
 * Call it before the answer is made, and make that with `c`: a `new Response` of your own has no cookie. Two first
 * requests at the same time are two owners: let the page itself make the first one. Behind a proxy say who the `client`
 * is, or the cookie is never Secure and all visitors come from one address.
 *
 * @throws SessionMisuse `InvalidOption`; from a request: `InvalidKey` with `status` 401, SessionRefused `MaxNewOwners`.
 */
export const browserOwner = ({ client, ...options }: BrowserOwnerOptions): BrowserOwner => {
  if (client !== undefined) checkedFunction("client", client)
  const owners = new BrowserOwners(options)
  const seen = client ?? connection
  const owner = (c: AnyContext): string => {
    checkProxy(c.req.header(), () => client !== undefined, "Say who the `client` is.")
    return owners.of(c, {
      cookies: c.req.header("cookie"),
      secure: seen(c).secure,
      address: () => seen(c).address,
      set: (cookie) => {
        // A shared cache that kept this answer would hand one visitor's cookie to the next.
        if (!headersSoFar(c).has("cache-control")) c.header("cache-control", "private")
        c.header("set-cookie", cookie, { append: true })
        c.header("vary", "Cookie", { append: true })
      },
    })
  }
  return Object.assign(owner, { counts: () => owners.counts })
}

const connection = (c: AnyContext): ClientSeen => ({
  address: nodeAnswer(c)?.req.socket.remoteAddress,
  secure: new URL(c.req.url).protocol === "https:",
})
