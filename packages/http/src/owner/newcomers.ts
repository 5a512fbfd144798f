/** How many new owners an address may make: creation that nobody has to log in for is what an attacker does first. */
import { SessionRefused } from "@sojourn/core"
import ipaddr from "ipaddr.js"
import { LRUCache } from "lru-cache"

export interface Allowance {
  readonly count: number
  /** Milliseconds. */
  readonly within: number
}

/** Of so many addresses at once: the longest unseen is forgotten, and may begin anew. */
const maxAddresses = 10_000

export class Newcomers {
  readonly #allowance: Allowance
  readonly #seen: LRUCache<string, { count: number; readonly until: number }>

  constructor(allowance: Allowance) {
    this.#allowance = allowance
    this.#seen = new LRUCache({ max: maxAddresses })
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#seen.size
  }

  /** Undefined: let in, and counted. Else the refusal. */
  refuse(address: string | undefined): SessionRefused | undefined {
    const { count, within } = this.#allowance
    if (count === Infinity) return undefined
    const now = performance.now()
    const network = networkOf(address)
    const seen = this.#seen.get(network)
    if (seen === undefined || seen.until <= now) {
      this.#seen.set(network, { count: 1, until: now + within })
      return undefined
    }
    if (seen.count >= count)
      return new SessionRefused({ reason: "MaxNewOwners", retryAfter: seen.until - now })
    seen.count++
    return undefined
  }
}

/** An IPv6 customer has a whole /64 to come from; an IPv4 address mapped into IPv6 is still that address. */
export const networkOf = (address: string | undefined): string => {
  const bare = withoutPort(address ?? "")
  if (!ipaddr.isValid(bare)) return "unknown"
  const parsed = ipaddr.process(bare)
  return "octets" in parsed
    ? parsed.toString()
    : parsed.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(":")
}
/** Some proxies write the port as well; without this all visitors behind one would come from "unknown". */
const withoutPort = (address: string): string =>
  /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(address)?.[1] ?? address
