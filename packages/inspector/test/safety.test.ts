/** Who is answered, and who is not. */
import express from "express"
import { once } from "node:events"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { describe, expect, it, onTestFinished } from "vitest"
import { dashboard, dashboardFetch, type Role } from "../src/index.ts"
import { isLoopbackAddress, isLoopbackHost } from "../src/safety/loopback.ts"
import { listen, post, raw, refusal, rooms, serve } from "./support.ts"

const codeOf = (text: string): string => (JSON.parse(text) as { code: string }).code

describe("without authorize", () => {
  it("a request of this machine to a loopback name may see and act", async () => {
    const chat = rooms()
    const { url } = await serve({ sessions: [chat] })
    const { port } = new URL(url)
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "LOCALHOST"])
      expect((await raw(url, { headers: { host } })).status).toBe(200)
    const about = (await (await fetch(`${url}/about`)).json()) as { role: Role }
    expect(about.role).toBe("operate")
  })

  it.each([
    "evil.example",
    "evil.example:3000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "app.localhost",
    "192.168.0.1",
    "0.0.0.0",
    "[::]",
    "localhost evil.example",
  ])("a name of somebody else's that leads here is refused: %j", async (host) => {
    const { url } = await serve({ sessions: [rooms()] })
    const answer = await raw(url, { headers: { host } })
    expect([answer.status, codeOf(answer.text)]).toEqual([403, "not-loopback"])
  })

  it.each([
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
  ])("what a proxy on this machine passes on is refused: %s", async (name) => {
    const { url } = await serve({ sessions: [rooms()] })
    const answer = await raw(url, { headers: { [name]: "127.0.0.1" } })
    expect([answer.status, codeOf(answer.text)]).toEqual([403, "not-loopback"])
  })

  it("an absolute address does not stand for the Host", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const answer = await raw(url, { path: "http://localhost/overview", headers: { host: "evil.example" } })
    expect(answer.status).toBe(403)
    expect((await raw(url, { path: `${url}/overview` })).status).toBe(200)
  })

  it("nor does trust in proxies make a stranger one of this machine", async () => {
    const app = express().set("trust proxy", true)
    const handler = dashboard({ sessions: [rooms()] })
    app.use("/_sessions", handler)
    const url = await listen(app)
    const answer = await raw(url, {
      path: "/_sessions/overview",
      headers: { "x-forwarded-for": "127.0.0.1" },
    })
    expect(answer.status).toBe(403)
    handler[Symbol.dispose]()
  })

  it("what is a loopback address, and what is not", () => {
    for (const address of ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
      expect(isLoopbackAddress(address)).toBe(true)
    for (const address of [
      undefined,
      "",
      "10.0.0.1",
      "::",
      "::2",
      "127.0.0.1.5",
      "1127.0.0.1",
      "fe80::1",
      "::ffff:10.0.0.1",
    ])
      expect(isLoopbackAddress(address)).toBe(false)
    expect(isLoopbackHost("127.0.0.1:99999999")).toBe(false)
  })

  it("a host that does not know where a request comes from cannot do without", () => {
    expect(() => dashboardFetch()).toThrow("authorize")
  })
})

describe("with authorize", () => {
  const guarded = (authorize: (req: IncomingMessage) => unknown) =>
    serve({ sessions: [rooms()], authorize: authorize as () => Role })

  it.each([
    ["undefined", () => undefined],
    ["another word", () => "admin"],
    ["true", () => true],
    ["an object", () => ({ role: "operate" })],
    ["a promise of nothing", () => Promise.resolve(undefined)],
  ])("%s is nobody", async (_, authorize) => {
    const { url } = await guarded(authorize)
    for (const path of ["/overview", "/nothing", "/openapi.json", "/stream?view=overview"]) {
      const problem = await refusal(await fetch(url + path))
      expect([problem.answered, problem.code]).toEqual([403, "not-authorized"])
    }
  })

  it.each([
    [
      "throws",
      () => {
        throw new Error("secret of the database")
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret of the database"))],
  ])("when it %s nobody is let in, and nothing is told", async (_, authorize) => {
    const { url } = await guarded(authorize)
    const response = await fetch(`${url}/overview`)
    const text = await response.text()
    expect([response.status, codeOf(text)]).toEqual([500, "failed"])
    expect(text).not.toContain("secret")
  })

  it("another machine, another name and a proxy are as good as any other", async () => {
    const { url } = await guarded((req) => (req.headers["x-user"] === "ada" ? "view" : undefined))
    const headers = { host: "app.example", "x-forwarded-for": "1.2.3.4", "x-user": "ada" }
    expect((await raw(url, { headers })).status).toBe(200)
    expect((await raw(url, { headers: { host: "app.example" } })).status).toBe(403)
  })

  it("who may see may not act", async () => {
    const { url } = await guarded(() => "view")
    const problem = await refusal(await post(url, { action: "unmute", warning: "L01" }))
    expect([problem.answered, problem.code]).toEqual([403, "not-authorized"])
    const about = (await (await fetch(`${url}/about`)).json()) as {
      actions: ReadonlyArray<string>
      role: Role
    }
    expect([about.role, about.actions]).toEqual(["view", []])
  })
})

describe("what changes something", () => {
  const unmute = { action: "unmute", warning: "L01" }

  it.each<[string, Record<string, string>, number]>([
    ["the browser says same-origin", { "sec-fetch-site": "same-origin" }, 200],
    ["the browser says cross-site", { "sec-fetch-site": "cross-site" }, 403],
    ["the browser says same-site", { "sec-fetch-site": "same-site" }, 403],
    ["the browser says none", { "sec-fetch-site": "none" }, 403],
    ["same-origin is believed before an origin", { "sec-fetch-site": "cross-site", origin: "SELF" }, 403],
    ["nothing is said", {}, 403],
    ["the origin is this host", { origin: "SELF" }, 200],
    ["the origin is this host on another port", { origin: "http://127.0.0.1:1" }, 403],
    ["the origin is another", { origin: "http://evil.example" }, 403],
    ["the origin is null", { origin: "null" }, 403],
    ["the origin ends like this host", { origin: "http://evil.example/SELF" }, 403],
    ["the origin is no web page's", { origin: "file://SELF" }, 403],
  ])("%s", async (_, headers, status) => {
    const { url } = await serve({ sessions: [rooms()] })
    const { host } = new URL(url)
    const origin = headers["origin"]
    const named =
      origin === undefined
        ? {}
        : { origin: origin === "SELF" ? `http://${host}` : origin.replace("SELF", host) }
    const answer = await raw(url, {
      method: "POST",
      path: "/actions",
      headers: { ...headers, ...named, "content-type": "application/json" },
      body: JSON.stringify(unmute),
    })
    expect(answer.status).toBe(status)
  })

  it.each<[string, number]>([
    ["application/json", 200],
    ["application/json; charset=utf-8", 200],
    ["APPLICATION/JSON", 200],
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["multipart/form-data", 415],
    ["application/jsonp", 415],
    ["text/plain; application/json", 415],
    ["", 415],
  ])("is sent as %j", async (type, status) => {
    const { url } = await serve({ sessions: [rooms()] })
    const answer = await raw(url, {
      method: "POST",
      path: "/actions",
      headers: { "sec-fetch-site": "same-origin", "content-type": type },
      body: JSON.stringify(unmute),
    })
    expect(answer.status).toBe(status)
  })

  it("is never asked with GET", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const response = await fetch(`${url}/actions?action=drain`)
    expect(response.status).toBe(400)
  })

  it("a body that is too large is refused before it has come, whether or not it says how large it is", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const headers = { "sec-fetch-site": "same-origin", "content-type": "application/json" }
    const large = JSON.stringify({ action: "unmute", warning: "x".repeat(200_000) })
    const said = await raw(url, { method: "POST", path: "/actions", headers, body: large })
    expect([said.status, codeOf(said.text)]).toEqual([413, "too-large"])
    const unsaid = await raw(url, {
      method: "POST",
      path: "/actions",
      headers: { ...headers, "transfer-encoding": "chunked" },
      body: large,
    })
    expect(unsaid.status).toBe(413)
  })

  it("nor is one waited for that never ends", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const { hostname, port } = new URL(url)
    const request = httpRequest({
      hostname,
      port,
      path: "/actions",
      method: "POST",
      headers: { "sec-fetch-site": "same-origin", "content-type": "application/json" },
    })
    onTestFinished(() => void request.destroy())
    request.on("error", () => {})
    const answered = once(request, "response") as Promise<[IncomingMessage]>
    request.write(" ".repeat(100_000))
    const [response] = await answered
    expect([response.statusCode, response.headers.connection]).toEqual([413, "close"])
    response.resume()
    await once(response, "end")
  })

  it.each<[string, string | Buffer]>([
    ["nothing", ""],
    ["no JSON", "{"],
    ["null", "null"],
    ["a list", "[]"],
    ["a number", "1e999"],
    ["an unknown action", '{"action":"shell"}'],
    ["a field too many", '{"action":"unmute","warning":"L01","now":true}'],
    ["__proto__", '{"__proto__":{"action":"unmute"},"warning":"L01"}'],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ["very deep", "[".repeat(60_000)],
    ["a count that is none", '{"action":"evictIdle","kind":"a","expected":-1}'],
  ])("a body that is %s is refused", async (_, body) => {
    const { url } = await serve({ sessions: [rooms()] })
    const answer = await raw(url, {
      method: "POST",
      path: "/actions",
      headers: { "sec-fetch-site": "same-origin", "content-type": "application/json" },
      body,
    })
    expect([answer.status, codeOf(answer.text)]).toEqual([400, "bad-request"])
    expect(({} as { action?: string }).action).toBeUndefined()
  })
})

describe("what is read", () => {
  it.each<[Record<string, string>, number]>([
    [{ "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "none" }, 200],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, 403],
    [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }, 403],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }, 200],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, 403],
  ])("with %j", async (headers, status) => {
    const { url } = await serve({ sessions: [rooms()] })
    expect((await raw(url, { headers })).status).toBe(status)
    expect((await raw(url, { path: "/stream?view=overview", method: "HEAD", headers })).status).toBe(status)
  })

  it("every answer is for who asked alone", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    for (const path of ["/overview", "/nothing", "/stream?view=overview", "/openapi.json"]) {
      const { headers } = await raw(url, { path, method: path.startsWith("/stream") ? "HEAD" : "GET" })
      expect(headers["content-security-policy"]).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
      expect(headers["x-content-type-options"]).toBe("nosniff")
      expect(headers["cross-origin-resource-policy"]).toBe("same-origin")
      expect(headers["referrer-policy"]).toBe("no-referrer")
      expect(headers["x-frame-options"]).toBe("DENY")
      expect(headers["cache-control"]).toMatch(/no-store|no-cache/)
      expect(headers["access-control-allow-origin"]).toBeUndefined()
      expect(headers["x-powered-by"]).toBeUndefined()
    }
  })
})

describe("options", () => {
  it.each<[string, object]>([
    ["misspelt", { autorize: () => "view" }],
    ["authorize", { authorize: "view" }],
    ["show", { show: 1 }],
    ["onAction", { onAction: {} }],
    ["sessions", { sessions: {} }],
    ["sessions", { sessions: [{ name: "mine" }] }],
    ["sessions", { sessions: [null] }],
  ])("%s is told when it is made", (name, options) => {
    expect(() => dashboard(options as never)).toThrow(name === "misspelt" ? "autorize" : name)
  })
})
