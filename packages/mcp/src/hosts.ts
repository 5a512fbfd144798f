/**
 * Is a request for this server, and from a page that may ask it? A web page whose host name is made to point at a server
 * on the user's own machine (DNS rebinding) reaches that server with the page's name as `Host` and as `Origin`.
 */

import { invalidOption } from "@sojourn/core/host"

export interface Allowed {
  /** Names, without ports; "any": whatever the client says. Left out: see `isHostAllowed`. */
  readonly hosts: ReadonlyArray<string> | "any" | undefined
  /** Beside the server's own. "any": whatever the browser says. */
  readonly origins: ReadonlyArray<string> | "any" | undefined
}

const loopbackName = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
const isLoopbackName = (name: string): boolean => loopbackName.test(name)
export const isLoopbackAddress = (address: string | undefined): boolean =>
  address !== undefined && /^(?:::1$|(?:::ffff:)?127\.)/.test(address)

/**
 * Without a list: who comes over the loopback interface, and not through a proxy that the application trusts, has to name
 * it so; elsewhere any name will do.
 */
export const isHostAllowed = (
  name: string | undefined,
  allowed: Allowed["hosts"],
  direct: boolean,
): boolean => {
  if (name === undefined || !URL.canParse(`http://${name}`)) return false
  if (allowed === "any") return true
  if (allowed !== undefined) return allowed.includes(name.toLowerCase())
  return !direct || isLoopbackName(name.toLowerCase())
}

/** Without a list: pages of this very host, and of the user's own machine where the server is there as well. */
export const isOriginAllowed = (
  origin: string | undefined,
  name: string | undefined,
  allowed: Allowed["origins"],
): boolean => {
  // Only browsers send it, and they always do where it matters.
  if (origin === undefined || allowed === "any") return true
  if (allowed?.includes(origin) === true) return true
  if (name === undefined || !URL.canParse(origin)) return false
  const page = new URL(origin).hostname
  const own = name.toLowerCase()
  return page === own || (isLoopbackName(page) && isLoopbackName(own))
}

/** @throws SessionMisuse `InvalidOption` */
export const checkedAllowed = (hosts: Allowed["hosts"], origins: Allowed["origins"]): Allowed => ({
  hosts: listed("allowedHosts", hosts, "names without ports", (host) => {
    const url = `http://${host.toLowerCase()}`
    return URL.canParse(url) && new URL(url).host === host.toLowerCase() && !/:\d+$/.test(host)
      ? host.toLowerCase()
      : undefined
  }),
  origins: listed("allowedOrigins", origins, 'origins such as "https://app.example.com"', (origin) =>
    URL.canParse(origin) && new URL(origin).origin === origin ? origin : undefined,
  ),
})
const listed = (
  option: string,
  given: ReadonlyArray<string> | "any" | undefined,
  allowed: string,
  checked: (one: string) => string | undefined,
): ReadonlyArray<string> | "any" | undefined => {
  if (given === undefined || given === "any") return given
  const wrong = (): Error =>
    invalidOption(`${option}: "any", or a list of ${allowed} is allowed, got ${JSON.stringify(given)}.`)
  if (!Array.isArray(given)) throw wrong()
  return given.map((one: unknown) => {
    const good = typeof one === "string" ? checked(one) : undefined
    if (good === undefined) throw wrong()
    return good
  })
}
