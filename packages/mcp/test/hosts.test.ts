import { describe, expect, it } from "vitest"
import { checkedAllowed, isHostAllowed, isLoopbackAddress, isOriginAllowed } from "../src/hosts.ts"
import { initialize, notebooks, send, serve } from "./support.ts"

describe("which host a request may name", () => {
  it("on the loopback interface only a name of it; elsewhere any; with a list, what is listed", () => {
    const loopback = ["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.1.2.3", "[::1]"]
    const others = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]"]
    for (const name of loopback) expect([name, isHostAllowed(name, undefined, true)]).toEqual([name, true])
    for (const name of others) {
      expect([name, isHostAllowed(name, undefined, true)]).toEqual([name, false])
      expect([name, isHostAllowed(name, undefined, false)]).toEqual([name, true])
      expect([name, isHostAllowed(name, ["mcp.example"], false)]).toEqual([name, false])
    }
    expect(isHostAllowed("MCP.example", ["mcp.example"], true)).toBe(true)
    expect(isHostAllowed("localhost", ["mcp.example"], true)).toBe(false)
    for (const direct of [true, false])
      for (const name of [undefined, "", "a b", "x@y/"])
        expect(isHostAllowed(name, "any", direct)).toBe(name === "x@y/")
  })

  it("knows the loopback interface", () => {
    for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
      expect(isLoopbackAddress(address)).toBe(true)
    for (const address of ["10.0.0.1", "::", "::ffff:10.0.0.1", "1127.0.0.1", undefined])
      expect(isLoopbackAddress(address)).toBe(false)
  })
})

describe("which page may ask", () => {
  it("its own host's, this machine's on this machine, and those listed", () => {
    const rows: ReadonlyArray<readonly [origin: string | undefined, host: string, allowed: boolean]> = [
      [undefined, "mcp.example", true],
      ["https://mcp.example", "mcp.example", true],
      ["http://mcp.example:8080", "mcp.example", true],
      ["https://app.example", "mcp.example", false],
      ["https://mcp.example.evil.example", "mcp.example", false],
      ["http://localhost:6274", "127.0.0.1", true],
      ["http://localhost:6274", "mcp.example", false],
      ["https://evil.example", "localhost", false],
      ["null", "mcp.example", false],
      ["", "mcp.example", false],
      ["file://", "localhost", false],
      ["https://listed.example", "mcp.example", true],
      ["http://listed.example", "mcp.example", false],
    ]
    for (const [origin, host, allowed] of rows)
      expect([origin, host, isOriginAllowed(origin, host, ["https://listed.example"])]).toEqual([
        origin,
        host,
        allowed,
      ])
    expect(isOriginAllowed("null", "mcp.example", "any")).toBe(true)
  })
})

describe("the options", () => {
  it("are checked where they are given", () => {
    for (const hosts of [["a:80"], ["http://a"], ["a/b"], [""], [1], "a", {}])
      expect(() => checkedAllowed(hosts as never, undefined)).toThrow("allowedHosts")
    for (const origins of [["app.example"], ["https://app.example/"], ["null"], [""], [1], "a", {}])
      expect(() => checkedAllowed(undefined, origins as never)).toThrow("allowedOrigins")
    expect(checkedAllowed(["MCP.example", "[::1]"], ["https://app.example"])).toEqual({
      hosts: ["mcp.example", "[::1]"],
      origins: ["https://app.example"],
    })
  })
})

describe("the endpoint", () => {
  it("refuses a rebound name and its page with 403, in JSON-RPC, before it looks who asks; and opens nothing", async () => {
    const books = notebooks()
    const { url } = await serve(books.app)
    const headersList = [
      { host: "evil.example" },
      { host: "evil.example", "x-forwarded-for": "1.2.3.4" },
      { host: "localhost", origin: "http://evil.example" },
    ]
    for (const headers of headersList) {
      for (const token of ["token-a", ""]) {
        const { status, body } = await send(url, { body: initialize(), headers, token })
        expect(status).toBe(403)
        expect(JSON.parse(body)).toMatchObject({ jsonrpc: "2.0", error: { code: -32000 }, id: null })
        expect(body).not.toContain("evil")
      }
    }
    expect(books.events).toEqual([])
    const own = { host: "localhost:1234", origin: "http://127.0.0.1:6274" }
    expect((await send(url, { body: initialize(), headers: own })).status).toBe(200)
  })

  it("takes any name, or a list, where it is told to; and a proxy's where the application trusts it", async () => {
    const named = notebooks({
      handler: { allowedHosts: ["mcp.example"], allowedOrigins: ["https://app.example"] },
    })
    const behind = notebooks()
    behind.app.set("trust proxy", "loopback")
    const [one, two] = [await serve(named.app), await serve(behind.app)]
    const listed = { host: "mcp.example", origin: "https://app.example" }
    expect((await send(one.url, { body: initialize(), headers: listed })).status).toBe(200)
    const forwarded = { "x-forwarded-host": "mcp.example", origin: "https://mcp.example" }
    expect((await send(two.url, { body: initialize(), headers: forwarded })).status).toBe(200)
    const foreign = { "x-forwarded-host": "mcp.example", origin: "https://evil.example" }
    expect((await send(two.url, { body: initialize(), headers: foreign })).status).toBe(403)
  })
})
