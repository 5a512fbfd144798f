import { SessionMisuse } from "@sojourn/core"
import type { RequestHandler } from "express"
import { describe, expect, test } from "vitest"
import {
  browserOwner,
  fromRequest,
  route,
  sessionErrors,
  type BrowserOwner,
  type BrowserOwnerOptions,
} from "../src/index.ts"
import { Browser, counters, listen } from "./support.ts"
import { versions } from "./versions.ts"

const secret = "a secret of the tests"
const secure = { "x-forwarded-proto": "https" }
const ownerOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as ReadonlyArray<unknown>)[0]

describe.each(versions)("$name: browserOwner", ({ express }) => {
  const answering =
    (owner: BrowserOwner): RequestHandler =>
    (req, res) => {
      const first = owner(req, res)
      res.json([first, owner(req, res), owner(req, res)])
    }
  const serve = (options: BrowserOwnerOptions, trusted: unknown = "loopback") => {
    const owner = browserOwner(options)
    const app = express()
      .set("trust proxy", trusted)
      .get("/", answering(owner))
      .use("/mounted/:a", express.Router().get("/", answering(owner)))
      .use("/app", express().get("/", answering(owner)))
      .use(sessionErrors())
    return listen(app)
  }

  test("the cookie is set once, and kept for 30 days", async () => {
    const url = await serve({ secret })
    const visitor = new Browser()
    const first = await visitor.visit(url)
    expect(first.headers.getSetCookie()).toHaveLength(1)
    expect(first.headers.getSetCookie()[0]).toMatch(
      /^sojourn=[0-9a-f]{40}\.[0-9a-z]+\.[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
    )
    expect(first.headers.get("cache-control")).toBe("private")
    expect(first.headers.get("vary")).toContain("Cookie")
    const [owner, ...again] = (await first.json()) as Array<string>
    expect(again).toEqual([owner, owner])
    expect(owner).toMatch(/^[0-9a-f]{40}$/)
    for (const path of ["/", "/mounted/1", "/app"]) {
      const later = await visitor.visit(url + path)
      expect(later.headers.getSetCookie()).toEqual([])
      expect(await ownerOf(later)).toBe(owner)
    }
  })

  test("what the answer says of caches and of Vary is added to, not replaced", async () => {
    const owner = browserOwner({ secret })
    const app = express().get("/", (req, res) => {
      res.set("cache-control", "no-store").vary("Accept").cookie("own", "1")
      res.send(owner(req, res))
    })
    const { headers } = await fetch(await listen(app))
    expect(headers.get("cache-control")).toBe("no-store")
    expect(headers.get("vary")).toBe("Accept, Cookie")
    expect(headers.getSetCookie().map((cookie) => cookie.split("=", 1)[0])).toEqual(["own", "sojourn"])
  })

  test.for(["/", "/mounted/1", "/app"])(
    "%s: secure requests get a Secure cookie with the __Host- prefix, and no other counts for them",
    async (path) => {
      const url = (await serve({ secret })) + path
      const visitor = new Browser()
      const first = await visitor.visit(url, { headers: secure })
      expect(first.headers.getSetCookie()[0]).toMatch(
        /^__Host-sojourn=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      )
      const owner = await ownerOf(first)
      expect(await ownerOf(await visitor.visit(url, { headers: secure }))).toBe(owner)
      // The same cookie as a sub-domain or a plain page could have set it.
      const planted = { cookie: (visitor.cookie ?? "").replace("__Host-", ""), ...secure }
      expect(await ownerOf(await fetch(url, { headers: planted }))).not.toBe(owner)
    },
  )

  test("a proxy that is not trusted makes no request secure", async () => {
    const url = await serve({ secret }, false)
    const [cookie] = (await fetch(url, { headers: secure })).headers.getSetCookie()
    expect(cookie).toMatch(/^sojourn=/)
    expect(cookie).not.toContain("Secure")
  })

  test("L19: a forged, damaged or swapped cookie is 401 and taken away, and opens nothing", async () => {
    const { sessions, opened } = counters()
    const owner = browserOwner({ secret })
    const counter = fromRequest(sessions, { owner })
    const app = express()
      .get("/", answering(owner))
      .get(
        "/counter",
        route(async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns))),
      )
      .use(sessionErrors())
    const url = await listen(app)
    const visitor = new Browser()
    const mine = await ownerOf(await visitor.visit(url))
    const good = visitor.cookies.get("sojourn") ?? ""
    const [id = "", time = "", mac = ""] = good.split(".")
    const other = new Browser()
    await other.visit(url)
    const [otherId = "", , otherMac = ""] = (other.cookies.get("sojourn") ?? "").split(".")
    // The last character of base64url has two bits that no byte needs.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    const twin = mac.slice(0, -1) + alphabet[alphabet.indexOf(mac.at(-1) ?? "") ^ 1]
    const forged = [
      id,
      `${id}.${time}`,
      `${id}.${time}.`,
      `.${time}.${mac}`,
      `${id}..${mac}`,
      `${id}.${mac}`,
      `${id}.${time}.${otherMac}`,
      `${otherId}.${time}.${mac}`,
      `${id}.${time}.${twin}`,
      `${id}.${time}.${mac}x`,
      `${id}.${time}.${mac}%20`,
      `${id}.0${time}.${mac}`,
      `${id}.zzzzzz.${mac}`,
      `${id.slice(1)}.${time}.${mac}`,
      `${"a".repeat(40)}.${time}.${mac}`,
      `${id}.${time}.${"A".repeat(43)}`,
      `s:${id}.${mac}`,
      "__proto__",
      "x".repeat(4000),
      "%00",
      "%",
      "",
    ]
    for (const value of forged) {
      const headers = { cookie: `sojourn=${value}` }
      for (const path of ["/", "/counter"]) {
        const response = await fetch(url + path, { headers })
        expect([value, response.status]).toEqual([value, 401])
        expect(response.headers.getSetCookie()).toEqual([
          expect.stringMatching(/^sojourn=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/),
        ])
        expect(await response.json()).toMatchObject({ error: { reason: "InvalidKey" } })
      }
    }
    expect(opened).toEqual([])
    expect(owner.counts()).toEqual({ known: 0, made: 2, forged: forged.length * 2, expired: 0, limited: 0 })
    expect(await ownerOf(await fetch(url, { headers: { cookie: `other=1; sojourn=${good}; x=%` } }))).toBe(
      mine,
    )

    // Once it is taken away the next visit is a new one.
    const fooled = new Browser()
    fooled.cookies.set("sojourn", forged[0] ?? "")
    expect((await fooled.visit(url)).status).toBe(401)
    expect(await ownerOf(await fooled.visit(url))).not.toBe(mine)
  })

  test("L19: without sessionErrors a forged cookie is 401 all the same, and opens nothing", async () => {
    const { sessions, opened } = counters()
    const counter = fromRequest(sessions, { owner: browserOwner({ secret }) })
    const app = express()
      .set("env", "test")
      .get(
        "/",
        route(async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns))),
      )
    const response = await fetch(await listen(app), { headers: { cookie: "sojourn=forged" } })
    expect(response.status).toBe(401)
    expect(opened).toEqual([])
  })

  test("secrets rotate: the first signs, all verify, a forgotten one does not", async () => {
    const [old, fresh] = ["the old secret text", "the fresh secret text"]
    const visitor = new Browser()
    const owner = await ownerOf(await visitor.visit(await serve({ secret: old })))
    const renewed = await visitor.visit(await serve({ secret: [fresh, old] }))
    expect(renewed.headers.getSetCookie()).toHaveLength(1)
    expect(await ownerOf(renewed)).toBe(owner)
    expect(await ownerOf(await visitor.visit(await serve({ secret: [fresh] })))).toBe(owner)
    expect((await visitor.visit(await serve({ secret: "yet another secret" }))).status).toBe(401)
  })

  test("the cookie's own options are kept", async () => {
    const url = await serve({
      secret,
      name: "visitor",
      maxAge: "1 minute",
      cookie: { sameSite: "strict", path: "/app", secure: true },
    })
    const set = (await fetch(url)).headers.getSetCookie()[0]
    expect(set).toMatch(/^visitor=.*; Max-Age=60; Path=\/app; HttpOnly; Secure; SameSite=Strict$/)
  })

  test("L9: each address makes so many new owners in a minute; whoever is known is let in", async () => {
    const { sessions, opened } = counters()
    const owner = browserOwner({ secret, maxNewOwners: 2 })
    const counter = fromRequest(sessions, { owner })
    const app = express()
      .set("trust proxy", 1)
      .get(
        "/",
        route(async (req, res) => void res.json(await counter(req, res).run((c) => ++c.turns))),
      )
      .use(sessionErrors())
    const url = await listen(app)
    const from = (address: string) => ({ headers: { "x-forwarded-for": address } })
    const known = new Browser()
    expect((await known.visit(url, from("203.0.113.1"))).status).toBe(200)
    expect((await fetch(url, from("203.0.113.1"))).status).toBe(200)
    // What a client writes in front of what the proxy adds is not its address.
    const refused = await fetch(url, from("198.51.100.7, 203.0.113.1"))
    expect(refused.status).toBe(429)
    expect(refused.headers.getSetCookie()).toEqual([])
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0)
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(60)
    expect(await refused.json()).toMatchObject({ error: { tag: "SessionRefused", reason: "MaxNewOwners" } })
    expect((await fetch(url, from("203.0.113.2"))).status).toBe(200)
    expect(await (await known.visit(url, from("203.0.113.1"))).json()).toBe(2)
    expect(new Set(opened).size).toBe(3)
    expect(owner.counts()).toEqual({ known: 1, made: 3, forged: 0, expired: 0, limited: 1 })
  })
})

test.for<readonly [string, object]>([
  ["no secret", {}],
  ["an empty list", { secret: [] }],
  ["a short secret", { secret: "short" }],
  ["a short old secret", { secret: [secret, "short"] }],
  ["a name with a separator", { secret, name: "a=b" }],
  ["a prefixed name", { secret, name: "__Host-x" }],
  ["a misspelt option", { secret, maxage: "1 day" }],
])("L17: %s is an InvalidOption", ([, options]) => {
  expect(() => browserOwner(options as { readonly secret: string })).toThrow(SessionMisuse)
})
