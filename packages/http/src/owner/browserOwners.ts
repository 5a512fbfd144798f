import type { Options, SessionMisuse, SessionRefused, Time } from "@sojourn/core"
import { checkObject, invalidOption, milliseconds, resolveNames, wholeNumber } from "@sojourn/core/host"
import { refusedKey } from "../keyFrom.ts"
import { Newcomers } from "./newcomers.ts"
import {
  cookieValues,
  resolveCookie,
  setCookie,
  type OwnerCookie,
  type ResolvedCookie,
} from "./ownerCookie.ts"
import { checkedSecrets, newId, signedId, verifiedId, type Secrets } from "./signedId.ts"

export type { OwnerCookie }

export type BrowserOwnerOptions = {
  /** At least 16 characters, from outside the code. A list rotates: the first signs, all verify. */
  readonly secret: string | ReadonlyArray<string>
} & Options<{
  /** The cookie's name; with `__Host-` before it when the browser can hold us to that. "sojourn". */
  readonly name: string
  /** HttpOnly, SameSite=Lax, path "/", Secure when the request is (SameSite=None and Partitioned: always). */
  readonly cookie: OwnerCookie
  /**
   * How long a visitor may stay away: the cookie is renewed on visits and refused once it is this old. At most the 400
   * days that browsers allow; less than a tenth of it is not written anew. 30 days; 1 minute.
   */
  readonly maxAge: Time
  /** New owners that one address (IPv6: one /64) may make in a minute; then `SessionRefused MaxNewOwners`, 429. 100; 1; Infinity. */
  readonly maxNewOwners: number
}>

/** What a host tells of the request, and takes for the answer. */
export interface CookieJar {
  /** The `Cookie` header. */
  readonly cookies: string | undefined
  readonly secure: boolean
  /** The client's, as far as the host can know it. Those without one share one allowance of new owners. */
  readonly address: () => string | undefined
  /** Adds a `Set-Cookie` header to the answer, and keeps shared caches from it. */
  readonly set: (cookie: string) => void
}

/** Since the process began, for metrics. */
export interface OwnerCounts {
  readonly known: number
  readonly made: number
  readonly forged: number
  /** Also counted as `made`, or as `limited`. */
  readonly expired: number
  readonly limited: number
}

const day = 24 * 60 * 60_000
const longest = 400 * day

/**
 * An owner for visitors who have not logged in: a random id of ours (160 bits) in a signed cookie. It tells browsers
 * apart, not people: it is no login. No cookie: a new owner. A cookie that is forged, damaged, or signed with a secret
 * that is forgotten: `SessionMisuse InvalidKey`, 401, and the cookie is taken away, so that the next visit is a new
 * one; nothing is opened. One that is too old is a new owner: it was ours once. Of several cookies of the name, which
 * another page of the domain can plant, the first that is ours and not too old counts.
 *
 * Two first requests at the same time are two owners: let the page itself make the first one.
 */
export class BrowserOwners {
  readonly #secrets: Secrets
  readonly #name: string
  readonly #cookie: ResolvedCookie
  /** Seconds, as in cookies. */
  readonly #maxAge: number
  readonly #newcomers: Newcomers
  readonly #answers = new WeakMap<object, string | SessionMisuse | SessionRefused>()
  readonly #counts = { known: 0, made: 0, forged: 0, expired: 0, limited: 0 }

  /** @throws SessionMisuse `InvalidOption` */
  constructor(options: BrowserOwnerOptions) {
    checkObject("options", options)
    resolveNames(options, ["secret", "name", "cookie", "maxAge", "maxNewOwners"])
    this.#secrets = checkedSecrets(options.secret)
    this.#name = checkedName(options.name ?? "sojourn")
    this.#cookie = resolveCookie(options.cookie)
    const maxAge = Math.min(milliseconds("maxAge", options.maxAge, 30 * day, 60_000), longest)
    this.#maxAge = Math.floor(maxAge / 1000)
    const count = wholeNumber("maxNewOwners", options.maxNewOwners, 100, 1)
    this.#newcomers = new Newcomers({ count, within: 60_000 })
  }

  get counts(): OwnerCounts {
    return { ...this.#counts }
  }

  /**
   * Call it before the answer's headers are sent. Decided once a request: a second call must not set a second cookie.
   *
   * @throws SessionMisuse `InvalidKey` with `status` 401, SessionRefused `MaxNewOwners`
   */
  of(request: object, jar: CookieJar): string {
    let answer = this.#answers.get(request)
    if (answer === undefined) {
      answer = this.#answer(jar)
      this.#answers.set(request, answer)
    }
    if (typeof answer === "string") return answer
    throw answer
  }

  #answer(jar: CookieJar): string | SessionMisuse | SessionRefused {
    const secure = this.#cookie.secure ?? jar.secure
    // What the prefix promises: no sub-domain and no plain HTTP page has set it.
    const bound = secure && this.#cookie.path === "/" && this.#cookie.domain === undefined
    const name = bound ? `__Host-${this.#name}` : this.#name
    const now = Math.floor(Date.now() / 1000)
    const write = (value: string, maxAge: number): void =>
      jar.set(setCookie(this.#cookie, name, value, maxAge, secure))
    const sign = (id: string): void => write(signedId(this.#secrets, id, now), this.#maxAge)

    const presented = cookieValues(jar.cookies ?? "", name)
    const verified = presented.flatMap((text) => verifiedId(this.#secrets, text) ?? [])
    const ours = verified.find(({ issued }) => now - issued <= this.#maxAge)
    if (ours !== undefined) {
      this.#counts.known++
      // One from the future was written by a clock that was wrong, and would last too long.
      if (!ours.newest || Math.abs(now - ours.issued) > this.#maxAge / 10) sign(ours.id)
      return ours.id
    }
    if (presented.length > 0 && verified.length === 0) {
      this.#counts.forged++
      write("", 0)
      return refusedKey(401, "the visitor's cookie was not written by this server")
    }
    if (verified.length > 0) this.#counts.expired++
    const refusal = this.#newcomers.refuse(jar.address())
    if (refusal !== undefined) {
      this.#counts.limited++
      return refusal
    }
    this.#counts.made++
    const id = newId()
    sign(id)
    return id
  }
}

const checkedName = (name: unknown): string => {
  if (typeof name === "string" && /^[\w-]{1,64}$/.test(name) && !/^__(?:host|secure)-/i.test(name))
    return name
  throw invalidOption(
    "name: 1 to 64 letters, digits, - and _, without a __Host- or __Secure- of its own, are allowed.",
  )
}
