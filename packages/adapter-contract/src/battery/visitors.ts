/** Visitors who have not logged in: a signed cookie is all that tells them apart. */
import { setupFindings } from "@sojourn/core/host"
import { expect, test, vi, onTestFinished } from "vitest"
import type { App, Serve } from "../App.ts"
import { Browser } from "../client/Browser.ts"
import { told } from "../client/told.ts"
import { allEvents } from "../client/events.ts"
import type { Counter } from "../fixture.ts"

export const visitors = (serve: Serve): void => {
  test("L19: each visitor without a cookie is somebody new, and with it is the same again", async () => {
    const app = await serve()
    const [first, second] = [new Browser(), new Browser()]
    expect([await turns(app, first), await turns(app, second)]).toEqual([1, 1])
    expect(first.told).toHaveLength(1)
    expect([await turns(app, first), await turns(app, second)]).toEqual([2, 2])
    expect([first.told, second.told]).toEqual([[], []])
    expect(new Set(app.opened).size).toBe(2)
  })

  test("the cookie is out of a script's reach, of other sites' and of shared caches'", async () => {
    const app = await serve()
    const browser = new Browser()
    const response = await browser.visit(app)
    const [pair = "", ...attributes] = (browser.told[0] ?? "").split("; ")
    expect(pair).toMatch(/^sojourn=[0-9a-f]{40}\.[0-9a-z]+\.[\w-]{43}$/)
    expect(attributes.toSorted()).toEqual(["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax"])
    expect(response.headers.get("cache-control")).toContain("private")
    expect(response.headers.get("vary")?.toLowerCase()).toContain("cookie")
  })

  test("a stream's answer carries the cookie beside its own headers", async () => {
    const app = await serve()
    const browser = new Browser()
    const response = await browser.visit(app, "/visits/events")
    expect(response.headers.get("content-type")).toContain("text/event-stream")
    expect(response.headers.get("cache-control")).toContain("no-transform")
    expect(browser.told).toHaveLength(1)
    expect((await allEvents(response)).map((event) => event["data"])).toEqual(['"one"', '"two"', '"three"'])
    await turns(app, browser)
    expect(new Set(app.opened).size).toBe(1)
  })

  test("L19: a cookie we have not written is refused, taken away, and opens nothing", async () => {
    const app = await serve()
    const [honest, other] = [await visitor(app), await visitor(app)]
    const [id = "", time = "", mac = ""] = valueOf(honest).split(".")
    const [otherId = "", otherTime = "", otherMac = ""] = valueOf(other).split(".")
    const forged = [
      `${otherId}.${time}.${mac}`,
      `${id}.${otherTime}x.${mac}`,
      `${id}.${time}.${otherMac}`,
      `${id}.${time}.${"A".repeat(43)}`,
      `${id}.${time}.`,
      `${id}.${time}`,
      `${id.toUpperCase()}.${time}.${mac}`,
      `${"0".repeat(40)}.${time}.${mac}`,
      `${valueOf(honest)}x`,
      `x${valueOf(honest)}`,
      "%00",
      "x",
      "x".repeat(4000),
      "__proto__",
      "j:{}",
    ]
    for (const value of forged) {
      const attacker = new Browser()
      attacker.cookies.set("sojourn", value)
      expect(await told(await attacker.visit(app))).toEqual([401, "SessionMisuse", "InvalidKey"])
      expect(attacker.told).toEqual([expect.stringMatching(/^sojourn=; Max-Age=0;/)])
      expect(attacker.cookies.size).toBe(0)
    }
    expect(app.opened).toHaveLength(2)
    expect(app.errors).toEqual([])
    // The next visit of a browser whose cookie was damaged is a new one.
    const damaged = new Browser()
    damaged.cookies.set("sojourn", "damaged")
    await damaged.visit(app)
    expect(await turns(app, damaged)).toBe(1)
    expect(await turns(app, honest)).toBe(2)
  })

  test("an empty cookie is a new visitor's or a forged one's, never a session", async () => {
    const app = await serve()
    const { status } = await app.request("/visits", { headers: { cookie: "sojourn=; other=1; =; ;;" } })
    expect([200, 401]).toContain(status)
  })

  test("L19: secrets rotate: what an older one signed is still known, and signed anew", async () => {
    const [older, newer] = ["an older secret of the tests", "a newer secret of the tests"]
    const before = await serve({ visitors: { secret: older } })
    const browser = await visitor(before)
    const signedBefore = valueOf(browser)

    const both = await serve({ visitors: { secret: [newer, older] } })
    await browser.visit(both)
    expect(both.opened).toEqual(before.opened)
    expect(browser.told).toHaveLength(1)
    expect(valueOf(browser)).not.toBe(signedBefore)

    const after = await serve({ visitors: { secret: newer } })
    await browser.visit(after)
    expect(after.opened).toEqual(before.opened)
    browser.cookies.set("sojourn", signedBefore)
    expect(await told(await browser.visit(after))).toEqual([401, "SessionMisuse", "InvalidKey"])
  })

  test("a cookie is renewed on visits, and one that is too old is a new visitor's", async () => {
    vi.useFakeTimers({ toFake: ["Date"] })
    onTestFinished(() => void vi.useRealTimers())
    const app = await serve({ visitors: { maxAge: "10 minutes" } })
    const browser = await visitor(app)

    later(0.5)
    expect([await turns(app, browser), browser.told.length]).toEqual([2, 0])
    for (const expected of [3, 4, 5]) {
      later(8)
      expect([await turns(app, browser), browser.told.length]).toEqual([expected, 1])
    }
    later(11)
    expect([await turns(app, browser), browser.told.length]).toEqual([1, 1])
    expect(new Set(app.opened).size).toBe(2)
  })

  test("L9: an address may make so many new visitors in a minute; who is known still comes in", async () => {
    const app = await serve({ visitors: { maxNewOwners: 2 } })
    const known = await visitor(app)
    await visitor(app)
    const refused = await new Browser().visit(app)
    const wait = Number(refused.headers.get("retry-after"))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(60)
    expect(await told(refused)).toEqual([429, "SessionRefused", "MaxNewOwners"])
    expect(refused.headers.getSetCookie()).toEqual([])
    // Whatever it says of itself: nobody in front of the application has said so.
    const spoofed = await new Browser().visit(app, "/visits", { "x-forwarded-for": "192.0.2.7" })
    expect(await told(spoofed)).toEqual([429, "SessionRefused", "MaxNewOwners"])
    expect(await turns(app, known)).toBe(2)
    expect(app.opened).toHaveLength(2)
  })

  test("behind a proxy that is trusted, the client is who the proxy says it is", async () => {
    const app = await serve({ trustProxy: true, visitors: { maxNewOwners: 1 } })
    const secure = new Browser()
    expect((await secure.visit(app, "/visits", from("192.0.2.1", "https"))).status).toBe(200)
    expect(secure.told[0]).toMatch(/^__Host-sojourn=[^;]+;.*; Secure/)
    expect((await secure.visit(app, "/visits", from("192.0.2.1", "https"))).status).toBe(200)
    expect(secure.told).toEqual([])

    const plain = new Browser()
    expect((await plain.visit(app, "/visits", from("192.0.2.2", "http"))).status).toBe(200)
    expect(plain.told[0]).toMatch(/^sojourn=[^;]+;(?!.*Secure)/)
    // Each address has an allowance of its own.
    expect((await new Browser().visit(app, "/visits", from("192.0.2.2", "http"))).status).toBe(429)
    expect((await new Browser().visit(app, "/visits", from("192.0.2.3", "http"))).status).toBe(200)
  })

  test("behind a proxy that the application does not know of, nothing it says counts, and the setup check tells", async () => {
    const app = await serve()
    const browser = new Browser()
    await browser.visit(app, "/visits", { "x-forwarded-proto": "https" })
    expect(browser.told[0]).toMatch(/^sojourn=[^;]+;(?!.*Secure)/)
    expect(setupFindings().map(({ code }) => code)).toContain("SOJOURN_TRUST_PROXY")
  })
}

const visitor = async (app: App): Promise<Browser> => {
  const browser = new Browser()
  expect((await browser.visit(app)).status).toBe(200)
  return browser
}
const turns = async (app: App, browser: Browser): Promise<number> => {
  const response = await browser.visit(app)
  expect(response.status).toBe(200)
  return ((await response.json()) as Counter).turns
}
const valueOf = (browser: Browser): string => browser.cookies.get("sojourn") ?? ""
const later = (minutes: number): unknown => vi.setSystemTime(Date.now() + minutes * 60_000)
/** What a proxy in front says of a client. */
const from = (address: string, protocol: string): Readonly<Record<string, string>> => ({
  "x-forwarded-for": address,
  "x-forwarded-proto": protocol,
})
