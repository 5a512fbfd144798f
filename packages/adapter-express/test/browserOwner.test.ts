import { SessionMisuse } from "@sojourn/core"
import express, { type CookieOptions } from "express"
import { expect, test } from "vitest"
import { browserOwner } from "../src/index.ts"
import { Browser, listen } from "./support.ts"

const secret = "a secret of the tests"
const serve = (options: {
  readonly secret: string | ReadonlyArray<string>
  readonly cookie?: CookieOptions
  readonly name?: string
}) => {
  const owner = browserOwner(options)
  return listen(
    express()
      .set("trust proxy", "loopback")
      .get("/", (req, res) => {
        const first = owner(req, res)
        res.json([first, owner(req, res), owner(req, res)])
      }),
  )
}
const ownerOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as ReadonlyArray<unknown>)[0]

test("the cookie is set once, and kept for good", async () => {
  const url = await serve({ secret })
  const visitor = new Browser()
  const first = await visitor.visit(url)
  expect(first.headers.getSetCookie()).toHaveLength(1)
  expect(first.headers.getSetCookie()[0]).toMatch(
    /^sojourn=[0-9a-f]{40}\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
  )
  expect(first.headers.get("cache-control")).toBe("private")
  expect(first.headers.get("vary")).toContain("Cookie")
  const [owner, ...again] = (await first.json()) as Array<string>
  expect(again).toEqual([owner, owner])
  expect(owner).toMatch(/^[0-9a-f]{40}$/)
  const second = await visitor.visit(url)
  expect(second.headers.getSetCookie()).toEqual([])
  expect(await ownerOf(second)).toBe(owner)
})

test("secure requests get a Secure cookie with the __Host- prefix, and no other counts for them", async () => {
  const url = await serve({ secret })
  const secure = { "x-forwarded-proto": "https" }
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
})

test("L19: a forged or damaged cookie gets a new owner, never an existing one", async () => {
  const url = await serve({ secret })
  const visitor = new Browser()
  const owner = await ownerOf(await visitor.visit(url))
  const good = visitor.cookie ?? ""
  const [id = "", mac = ""] = good.slice("sojourn=".length).split(".")
  const other = new Browser()
  await other.visit(url)
  const [, otherMac = ""] = (other.cookie ?? "").split(".")
  // The last character of base64url has two bits that no byte needs.
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  const twin = mac.slice(0, -1) + alphabet[alphabet.indexOf(mac.at(-1) ?? "") ^ 1]
  const forged = [
    id,
    `${id}.`,
    `.${mac}`,
    `${id}.${otherMac}`,
    `${id}.${twin}`,
    `${id}.${mac}x`,
    `${id}.${mac}%20`,
    `${id.slice(1)}.${mac}`,
    `${"a".repeat(40)}.${mac}`,
    `${id}.${"A".repeat(43)}`,
    `s:${id}.${mac}`,
    "__proto__",
    "x".repeat(4000),
    "%00",
    "%",
    "",
  ]
  const seen = new Set([owner])
  for (const value of forged) {
    const response = await fetch(url, { headers: { cookie: `sojourn=${value}` } })
    expect(response.status).toBe(200)
    expect(response.headers.getSetCookie()).toHaveLength(1)
    const given = await ownerOf(response)
    expect([...seen]).not.toContain(given)
    seen.add(given)
  }
  expect(await ownerOf(await fetch(url, { headers: { cookie: `other=1; ${good}; x=%` } }))).toBe(owner)
})

test("secrets rotate: the first signs, all verify, a forgotten one does not", async () => {
  const [old, fresh] = ["the old secret text", "the fresh secret text"]
  const visitor = new Browser()
  const owner = await ownerOf(await visitor.visit(await serve({ secret: old })))
  const renewed = await visitor.visit(await serve({ secret: [fresh, old] }))
  expect(renewed.headers.getSetCookie()).toHaveLength(1)
  expect(await ownerOf(renewed)).toBe(owner)
  expect(await ownerOf(await visitor.visit(await serve({ secret: [fresh] })))).toBe(owner)
  expect(await ownerOf(await visitor.visit(await serve({ secret: "yet another secret" })))).not.toBe(owner)
})

test("the cookie's own options are kept", async () => {
  const url = await serve({
    secret,
    name: "visitor",
    cookie: { maxAge: 60_000, sameSite: "strict", path: "/app", secure: true },
  })
  const set = (await fetch(url)).headers.getSetCookie()[0]
  expect(set).toMatch(/^visitor=.*; Max-Age=60; Path=\/app; Expires=.*; HttpOnly; Secure; SameSite=Strict$/)
})

test.for<readonly [string, object]>([
  ["no secret", {}],
  ["an empty list", { secret: [] }],
  ["a short secret", { secret: "short" }],
  ["a short old secret", { secret: [secret, "short"] }],
  ["a name with a separator", { secret, name: "a=b" }],
  ["a prefixed name", { secret, name: "__Host-x" }],
])("L17: %s is an InvalidOption", ([, options]) => {
  expect(() => browserOwner(options as { readonly secret: string })).toThrow(SessionMisuse)
})
