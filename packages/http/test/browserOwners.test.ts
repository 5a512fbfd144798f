import { SessionMisuse, SessionRefused } from "@sojourn/core"
import fc from "fast-check"
import { createHmac } from "node:crypto"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { BrowserOwners, problemAnswer, type BrowserOwnerOptions } from "../src/index.ts"
import { Newcomers, networkOf } from "../src/owner/newcomers.ts"
import { signedId, verifiedId } from "../src/owner/signedId.ts"

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "performance"], now: Date.UTC(2026, 0, 1) }))
afterEach(() => void vi.useRealTimers())

const secret = "a secret of the tests"
const [second, minute, day] = [1000, 60_000, 24 * 60 * 60_000]

interface Visit {
  /** Undefined: refused. */
  readonly owner: string | undefined
  readonly error: unknown
  readonly set: ReadonlyArray<string>
}
interface From {
  readonly cookies?: string | undefined
  readonly secure?: boolean
  readonly address?: string | undefined
}
/** One request. */
const visit = (owners: BrowserOwners, from: From = {}, request: object = {}): Visit => {
  const set: Array<string> = []
  const jar = {
    cookies: from.cookies,
    secure: from.secure ?? false,
    address: () => from.address,
    set: (cookie: string) => void set.push(cookie),
  }
  try {
    return { owner: owners.of(request, jar), error: undefined, set }
  } catch (error) {
    return { owner: undefined, error, set }
  }
}
/** What a browser sends back of a `Set-Cookie`. */
const pair = ({ set }: Visit): string => set[0]?.split(";", 1)[0] ?? ""
const valueOf = (cookie: string): string => cookie.slice(cookie.indexOf("=") + 1)
const owners = (options: Partial<BrowserOwnerOptions> = {}) => new BrowserOwners({ secret, ...options })

/** As a program without types writes it. */
const undefinedParts: object = { httpOnly: undefined, path: undefined, secure: undefined }

describe("the cookie", () => {
  test("is set once for a new visitor, and the owner is kept", () => {
    const all = owners()
    const first = visit(all)
    expect(first.owner).toMatch(/^[0-9a-f]{40}$/)
    expect(first.set).toHaveLength(1)
    expect(first.set[0]).toMatch(
      /^sojourn=[0-9a-f]{40}\.[0-9a-z]+\.[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
    )
    expect(visit(all, { cookies: `a=b; ${pair(first)}; c=%` })).toEqual({ ...first, set: [] })
    expect(visit(all).owner).not.toBe(first.owner)
    expect(all.counts).toEqual({ known: 1, made: 2, forged: 0, expired: 0, limited: 0 })
  })

  test("L5: is decided once a request, however often it is asked for, also when it is refused", () => {
    const all = owners({ maxNewOwners: 1 })
    const request = {}
    const first = visit(all, {}, request)
    expect(visit(all, {}, request)).toEqual({ ...first, set: [] })
    const forged = {}
    const refused = visit(all, { cookies: "sojourn=x" }, forged)
    const again = visit(all, { cookies: "sojourn=x" }, forged)
    expect([refused.set.length, again.set.length]).toEqual([1, 0])
    expect(again.error).toBe(refused.error)
    const limited = {}
    expect(visit(all, {}, limited).error).toBe(visit(all, {}, limited).error)
    expect(all.counts).toEqual({ known: 0, made: 1, forged: 1, expired: 0, limited: 1 })
  })

  test("of a secure request is Secure and has the prefix, and no other counts for it", () => {
    const all = owners()
    const first = visit(all, { secure: true })
    expect(first.set[0]).toMatch(
      /^__Host-sojourn=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    expect(visit(all, { secure: true, cookies: pair(first) }).owner).toBe(first.owner)
    // What a sub-domain or a plain page could have set.
    const planted = pair(first).replace("__Host-", "")
    expect(visit(all, { secure: true, cookies: planted }).owner).not.toBe(first.owner)
  })

  test.for<readonly [BrowserOwnerOptions["cookie"], RegExp]>([
    [{ path: "/app" }, /^sojourn=[^;]+; Max-Age=\d+; Path=\/app; HttpOnly; Secure; SameSite=Lax$/],
    [
      { domain: "example.org" },
      /^sojourn=[^;]+; Max-Age=\d+; Domain=example.org; Path=\/; HttpOnly; Secure;/,
    ],
    [{ secure: false }, /^sojourn=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/],
    [{ sameSite: "strict", priority: "high" }, /^__Host-.*; Priority=High; SameSite=Strict$/],
    [{ httpOnly: false }, /^__Host-sojourn=[^;]+; Max-Age=\d+; Path=\/; Secure; SameSite=Lax$/],
    [undefinedParts, /; Path=\/; HttpOnly; Secure; SameSite=Lax$/],
  ])("%j is said, and the prefix only where a browser takes it", ([cookie, expected]) => {
    const all = owners({ cookie })
    const first = visit(all, { secure: true })
    expect(first.set[0]).toMatch(expected)
    expect(visit(all, { secure: true, cookies: pair(first) }).owner).toBe(first.owner)
  })

  test.for<readonly [BrowserOwnerOptions["cookie"]]>([[{ sameSite: "none" }], [{ partitioned: true }]])(
    "%j is Secure in any case: browsers would not keep it",
    ([cookie]) => {
      expect(visit(owners({ cookie })).set[0]).toContain("; Secure")
    },
  )

  test("may have a name of its own, and two of them do not meet", () => {
    const [one, other] = [owners({ name: "one" }), owners({ name: "other" })]
    const first = visit(one)
    expect(pair(first)).toMatch(/^one=/)
    expect(visit(other, { cookies: pair(first) }).set[0]).toMatch(/^other=/)
    expect(visit(one, { cookies: `${visit(other).set[0]}; ${pair(first)}` }).owner).toBe(first.owner)
  })
})

describe("time", () => {
  test("a cookie is renewed after a tenth of its time, and not before", () => {
    const all = owners({ maxAge: "10 days" })
    const first = visit(all)
    expect(first.set[0]).toContain("Max-Age=864000;")
    vi.advanceTimersByTime(day)
    expect(visit(all, { cookies: pair(first) }).set).toEqual([])
    vi.advanceTimersByTime(second)
    const renewed = visit(all, { cookies: pair(first) })
    expect(renewed.owner).toBe(first.owner)
    expect(renewed.set).toHaveLength(1)
    expect(visit(all, { cookies: pair(renewed) }).set).toEqual([])
  })

  test("who visits stays; who stays away longer than maxAge is a new visitor", () => {
    const all = owners({ maxAge: "10 days" })
    const first = visit(all)
    let cookies = pair(first)
    for (let time = 0; time < 20; time++) {
      vi.advanceTimersByTime(9 * day)
      const again = visit(all, { cookies })
      expect(again.owner).toBe(first.owner)
      cookies = pair(again)
    }
    vi.advanceTimersByTime(10 * day)
    const last = visit(all, { cookies })
    expect(last.owner).toBe(first.owner)
    vi.advanceTimersByTime(10 * day + second)
    const late = visit(all, { cookies: pair(last) })
    expect(late.owner).toMatch(/^[0-9a-f]{40}$/)
    expect(late.owner).not.toBe(first.owner)
    expect(late.set).toHaveLength(1)
    expect(all.counts).toMatchObject({ expired: 1, made: 2, forged: 0 })
  })

  test("a time that is written anew needs a signature", () => {
    const all = owners({ maxAge: "1 minute" })
    const [id = "", time = "", mac = ""] = valueOf(pair(visit(all))).split(".")
    vi.advanceTimersByTime(2 * minute)
    const later = (Number.parseInt(time, 36) + 120).toString(36)
    expect(visit(all, { cookies: `sojourn=${id}.${later}.${mac}` }).error).toMatchObject({ status: 401 })
    expect(visit(all, { cookies: `sojourn=${id}.${time}.${mac}` }).error).toBeUndefined()
    expect(all.counts).toMatchObject({ forged: 1, expired: 1 })
  })

  test("one that a wrong clock of ours has written for the future is taken, and written anew", () => {
    const all = owners()
    vi.advanceTimersByTime(365 * day)
    const first = visit(all)
    vi.setSystemTime(Date.now() - 365 * day)
    const again = visit(all, { cookies: pair(first) })
    expect(again.owner).toBe(first.owner)
    expect(again.set).toHaveLength(1)
    vi.advanceTimersByTime(30 * day + second)
    expect(visit(all, { cookies: pair(again) }).owner).not.toBe(first.owner)
  })

  test.for<readonly [BrowserOwnerOptions["maxAge"], number]>([
    [undefined, 30 * 86_400],
    ["Infinity", 400 * 86_400],
    ["500 days", 400 * 86_400],
    [minute + 999, 60],
  ])("maxAge %j is %i seconds", ([maxAge, seconds]) => {
    expect(visit(owners({ maxAge })).set[0]).toContain(`; Max-Age=${seconds};`)
  })
})

describe("forgery", () => {
  const refusal = (answer: Visit): void => {
    expect(answer.owner).toBeUndefined()
    expect(answer.error).toBeInstanceOf(SessionMisuse)
    expect(answer.error).toMatchObject({ reason: "InvalidKey", status: 401 })
    expect(problemAnswer(answer.error as SessionMisuse).status).toBe(401)
    expect(answer.set).toEqual(["sojourn=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"])
  }
  /** What was signed, in other words. */
  const variants = (good: string, other: string): ReadonlyArray<readonly [string, string]> => {
    const [id = "", time = "", mac = ""] = good.split(".")
    const [otherId = "", otherTime = "", otherMac = ""] = other.split(".")
    // The last character of base64url has two bits that no byte needs.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    const twin = mac.slice(0, -1) + alphabet[alphabet.indexOf(mac.at(-1) ?? "") ^ 1]
    const unkeyed = createHmac("sha256", "")
      .update(`sojourn browser owner 2:${id}.${time}`)
      .digest("base64url")
    return [
      ["another's signature", `${id}.${time}.${otherMac}`],
      ["another's id", `${otherId}.${time}.${mac}`],
      ["another's time", `${id}.${otherTime === time ? "1" : otherTime}.${mac}`],
      ["no signature", `${id}.${time}.`],
      ["no time", `${id}.${mac}`],
      ["the id alone", id],
      ["a twin of the signature's bytes", `${id}.${time}.${twin}`],
      ["one character more", `${good}x`],
      ["one character less", good.slice(0, -1)],
      ["a zero before the time", `${id}.0${time}.${mac}`],
      ["the time in capitals", `${id}.${time.toUpperCase()}x.${mac}`],
      ["the id in capitals", `${id.replaceAll(/[a-f]/g, "A")}A.${time}.${mac}`],
      ["percent signs", good.replace(".", "%2E")],
      ["quotes", `"${good}"`],
      ["the form of express-session", `s:${good}`],
      ["a signature without a key", `${id}.${time}.${unkeyed}`],
      ["nothing", ""],
      ["too much", `${good}${"x".repeat(8000)}`],
      ["a number without end", `${id}.${"z".repeat(200)}.${mac}`],
      ["a prototype", "__proto__"],
      ["half a character", "%"],
      ["no character", "%00"],
    ]
  }
  const names = variants("a.b.c", "d.e.f").map(([name]) => [name] as const)

  test.for(names)("L19: %s is 401, opens nothing, and is taken away", ([name]) => {
    const all = owners()
    const mine = visit(all)
    vi.advanceTimersByTime(minute)
    const [good, other] = [valueOf(pair(mine)), valueOf(pair(visit(all)))]
    const [, forged = ""] = variants(good, other).find(([one]) => one === name) ?? []
    expect(forged).not.toBe(good)
    refusal(visit(all, { cookies: `sojourn=${forged}` }))
    expect(all.counts).toEqual({ known: 0, made: 2, forged: 1, expired: 0, limited: 0 })
    // The good one still is.
    expect(visit(all, { cookies: `sojourn=${good}` }).owner).toBe(mine.owner)
  })

  test("L19: any change of one character is no signature of ours", () => {
    const good = signedId([secret], "0123456789abcdef0123456789abcdef01234567", 1_767_225_600)
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ unit: "binary-ascii", maxLength: 1 }), (at, by) => {
        const changed = good.slice(0, at) + by + good.slice(at + 1)
        expect(verifiedId([secret], changed) === undefined).toBe(changed !== good)
      }),
      { numRuns: 2000 },
    )
  })

  test("a Cookie header of any kind neither throws anything else nor makes an owner twice", () => {
    const all = owners({ maxNewOwners: Infinity })
    const mine = visit(all)
    const good = pair(mine)
    const pieces = fc.oneof(
      fc.string({ unit: "binary", maxLength: 10 }),
      fc.constantFrom("sojourn", "sojourn=", ";", "=", good, "__Host-sojourn=1", "; ", "sojourn=x"),
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 6 }), (texts) => {
        const answer = visit(all, { cookies: texts.join("") })
        if (answer.error !== undefined) expect(answer.error).toMatchObject({ status: 401 })
        else expect(answer.owner).toMatch(/^[0-9a-f]{40}$/)
        expect(answer.set.length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 1000 },
    )
  })

  test("L19: of several the first of ours counts, so that one planted beside it locks nobody out", () => {
    const all = owners({ maxAge: "10 days" })
    const [mine, old] = [visit(all), visit(all)]
    const planted = Array.from({ length: 7 }, (_, n) => `sojourn=planted${n}`).join("; ")
    expect(visit(all, { cookies: `${planted}; ${pair(mine)}` }).owner).toBe(mine.owner)
    expect(visit(all, { cookies: `${pair(mine)}; ${planted}; ${pair(old)}` }).owner).toBe(mine.owner)
    refusal(visit(all, { cookies: `${planted}; sojourn=x` }))
    vi.advanceTimersByTime(8 * day)
    const renewed = visit(all, { cookies: pair(mine) })
    vi.advanceTimersByTime(8 * day)
    // One that is too old does not hide one that is not.
    expect(visit(all, { cookies: `${pair(old)}; ${planted}; ${pair(renewed)}` }).owner).not.toBe(old.owner)
    expect(visit(all, { cookies: `${pair(old)}; ${pair(renewed)}` }).owner).toBe(mine.owner)
  })

  test("a header full of cookies costs a few signatures, not one each", () => {
    const all = owners()
    const good = pair(visit(all))
    const many = Array.from({ length: 5000 }, () => `sojourn=${"0".repeat(40)}.1.${"A".repeat(43)}`).join(
      "; ",
    )
    expect(visit(all, { cookies: `${many}; ${good}` }).error).toMatchObject({ status: 401 })
  })
})

describe("secrets", () => {
  const [old, fresh] = ["the old secret text", "the fresh secret text"]

  test("rotate: the first signs, all verify, and what an older one signed is signed anew", () => {
    const first = visit(owners({ secret: old }))
    const rotated = owners({ secret: [fresh, old] })
    const renewed = visit(rotated, { cookies: pair(first) })
    expect(renewed.owner).toBe(first.owner)
    expect(renewed.set).toHaveLength(1)
    expect(visit(rotated, { cookies: pair(renewed) }).set).toEqual([])
    expect(visit(owners({ secret: [fresh] }), { cookies: pair(renewed) }).owner).toBe(first.owner)
  })

  test("that are forgotten sign nothing of ours any more", () => {
    const first = visit(owners({ secret: old }))
    expect(visit(owners({ secret: fresh }), { cookies: pair(first) }).error).toMatchObject({ status: 401 })
  })

  test("sign this one purpose: what else was signed with them is no owner", () => {
    const id = "0".repeat(40)
    const mac = createHmac("sha256", secret).update(`${id}.1`).digest("base64url")
    expect(visit(owners(), { cookies: `sojourn=${id}.1.${mac}` }).error).toMatchObject({ status: 401 })
  })
})

describe("new owners", () => {
  const admitted = (all: BrowserOwners, address: string | undefined, times: number): number =>
    Array.from({ length: times }, () => visit(all, { address })).filter(({ owner }) => owner !== undefined)
      .length

  test("L9: of one address are limited in a minute; known ones and others are not", () => {
    const all = owners({ maxNewOwners: 3 })
    const known = visit(all, { address: "192.0.2.1" })
    expect(admitted(all, "192.0.2.1", 5)).toBe(2)
    vi.advanceTimersByTime(20 * second)
    const { error, set } = visit(all, { address: "192.0.2.1" })
    expect(error).toBeInstanceOf(SessionRefused)
    expect(error).toMatchObject({ reason: "MaxNewOwners", retryAfter: 40 * second })
    expect(problemAnswer(error as SessionRefused)).toMatchObject({
      status: 429,
      headers: { "retry-after": "40" },
    })
    expect(set).toEqual([])
    expect(admitted(all, "192.0.2.2", 5)).toBe(3)
    expect(visit(all, { address: "192.0.2.1", cookies: pair(known) }).owner).toBe(known.owner)
    expect(all.counts).toMatchObject({ made: 6, limited: 6, known: 1 })
    vi.advanceTimersByTime(40 * second)
    expect(admitted(all, "192.0.2.1", 5)).toBe(3)
  })

  test("L9: so are those whose cookie is too old, and a forged one makes none", () => {
    const all = owners({ maxNewOwners: 1, maxAge: "1 minute" })
    const first = visit(all, { address: "192.0.2.1" })
    vi.advanceTimersByTime(61 * second)
    expect(visit(all, { address: "192.0.2.1", cookies: "sojourn=x" }).error).toMatchObject({ status: 401 })
    expect(visit(all, { address: "192.0.2.1", cookies: pair(first) }).owner).toBeDefined()
    expect(visit(all, { address: "192.0.2.1", cookies: pair(first) }).error).toMatchObject({
      reason: "MaxNewOwners",
    })
  })

  test("100 is the default, and Infinity no limit", () => {
    expect(admitted(owners(), "192.0.2.1", 150)).toBe(100)
    expect(admitted(owners({ maxNewOwners: Infinity }), "192.0.2.1", 150)).toBe(150)
  })

  test.for<readonly [string, string | undefined, string | undefined, boolean]>([
    ["IPv4 addresses", "192.0.2.1", "192.0.2.2", false],
    ["one mapped into IPv6 and itself", "::ffff:192.0.2.1", "192.0.2.1", true],
    ["the same in hexadecimal", "::ffff:c000:201", "192.0.2.1", true],
    ["two of one /64", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
    ["the same, written out", "2001:0DB8:0001:0002:0:0:0:1", "2001:db8:1:2::7", true],
    ["two /64 of one /48", "2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["with a port, as some proxies write it", "192.0.2.1:51234", "192.0.2.1", true],
    ["IPv6 with a port", "[2001:db8::1]:443", "2001:db8::2", true],
    ["IPv6 in brackets", "[2001:db8::1]", "2001:db8::2", true],
    ["ports of two addresses", "192.0.2.1:1", "192.0.2.2:1", false],
    ["what is none, and nothing", "unix:", undefined, true],
    ["two that are none", "", "not an address", true],
    ["hostile text", "192.0.2.1, 203.0.113.9", "__proto__", true],
  ])("%s: %j and %j, together: %j", ([, one, other, together]) => {
    expect(networkOf(one) === networkOf(other)).toBe(together)
    const all = owners({ maxNewOwners: 1 })
    visit(all, { address: one })
    expect(visit(all, { address: other }).owner === undefined).toBe(together)
  })

  test("any text is an address of somebody", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.ipV4Extended(),
          fc.ipV6(),
          fc.stringMatching(/^[\d.:[\]a-f%]*$/),
        ),
        (text) => {
          expect(networkOf(text)).toMatch(/^(unknown|[\d.]+|([0-9a-f]{1,4}:){3}[0-9a-f]{1,4})$/)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test("L26: addresses without end are remembered up to 10 000; who asked last is not forgotten for them", () => {
    const newcomers = new Newcomers({ count: 1, within: minute })
    expect(newcomers.refuse("203.0.113.1")).toBeUndefined()
    for (let n = 0; n < 50_000; n++) {
      newcomers.refuse(`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`)
      if (n % 5000 === 0) expect(newcomers.refuse("203.0.113.1")).toBeDefined()
    }
    expect(newcomers.size).toBe(10_000)
  })
})

describe("options", () => {
  test.for<readonly [string, unknown]>([
    ["nothing", undefined],
    ["no secret", {}],
    ["an empty list of secrets", { secret: [] }],
    ["a short secret", { secret: "x".repeat(15) }],
    ["a short old secret", { secret: [secret, "short"] }],
    ["a secret that is no text", { secret: 1234567890123456 }],
    ["a misspelt one", { secret, names: "x" }],
    ["a name with a separator", { secret, name: "a=b" }],
    ["a name that is no text", { secret, name: ["a"] }],
    ["an empty name", { secret, name: "" }],
    ["a prefixed name", { secret, name: "__Host-x" }],
    ["another prefix", { secret, name: "__secure-x" }],
    ["a cookie that is no object", { secret, cookie: "Lax" }],
    ["a cookie's own maxAge", { secret, cookie: { maxAge: 60_000 } }],
    ["a cookie's own name", { secret, cookie: { name: "x" } }],
    ["a cookie that expires", { secret, cookie: { expires: new Date(0) } }],
    ["a domain that is none", { secret, cookie: { domain: "a b" } }],
    ["a path that ends the attribute", { secret, cookie: { path: "/; Domain=evil.example" } }],
    ["an unknown sameSite", { secret, cookie: { sameSite: "loose" } }],
    ["an unknown priority", { secret, cookie: { priority: "urgent" } }],
    ["secure that is a text", { secret, cookie: { secure: "false" } }],
    ["sameSite none without Secure", { secret, cookie: { sameSite: "none", secure: false } }],
    ["partitioned without Secure", { secret, cookie: { partitioned: true, secure: false } }],
    ["a maxAge under a minute", { secret, maxAge: 59_999 }],
    ["no new owners", { secret, maxNewOwners: 0 }],
    ["half of one", { secret, maxNewOwners: 1.5 }],
  ])("L17: %s is an InvalidOption, and the secret is not told", ([, options]) => {
    const make = (): unknown => new BrowserOwners(options as BrowserOwnerOptions)
    expect(make).toThrow(expect.objectContaining({ _tag: "SessionMisuse", reason: "InvalidOption" }))
    expect(make).not.toThrow(new RegExp(secret))
  })
})
