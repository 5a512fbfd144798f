/** What opens a session, by itself; and what is said of options that are wrong. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js"
import { createSessions } from "@sojourn/core"
import { checkOpen } from "@sojourn/core/testing"
import { describe, expect, it } from "vitest"
import { createMcpSessions, mcpHandler } from "../src/index.ts"
import { openConnection } from "../src/openConnection.ts"
import { connect, initialize, introduced, notebooks, send, serve } from "./support.ts"

const plain = () => new McpServer({ name: "plain", version: "1.0.0" })
const transport = () => ({})

describe("the open of a session", () => {
  it("L4 keeps the rules, at whatever moment it is given up", { timeout: 60_000 }, async () => {
    const live = new Set<string>()
    let made = 0
    let closed = 0
    await checkOpen(
      openConnection(
        {
          server: async ({ use }) => {
            await use(Promise.resolve({}), () => {})
            const server = plain()
            made++
            const close = server.close.bind(server)
            server.close = async () => {
              closed++
              await close()
            }
            return server
          },
          transport,
          ping: Infinity,
        },
        ({ serial }) => {
          live.add(`${serial}`)
          return () => live.delete(`${serial}`)
        },
      ),
      { task: ({ server }) => expect(server.isConnected()).toBe(true) },
    )
    expect(live.size).toBe(0)
    expect(made).toBeGreaterThan(5)
    expect(closed).toBe(made)
  })

  it("L3 refuses a server that another session has, and leaves it to that one", async () => {
    const shared = plain()
    const servers = createMcpSessions({ name: "shared", server: () => shared })
    const { app } = notebooks()
    app.all("/shared", mcpHandler(servers, { owner: () => "alice" }))
    const { url } = await serve(app)
    const at = url.replace("/mcp", "/shared")
    const id = await introduced(at)
    expect((await send(at, { body: initialize() })).status).toBe(503)
    expect(shared.isConnected()).toBe(true)
    const { status } = await send(at, { id, body: { jsonrpc: "2.0", id: 1, method: "ping" } })
    expect(status).toBe(200)
    await servers.drain()
    expect(shared.isConnected()).toBe(false)
  })

  it("L10 fails with a server that is connected already, which then stays open nowhere", async () => {
    const connected = plain()
    const [one, other] = InMemoryTransport.createLinkedPair()
    await connected.connect(one)
    let closed = false
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    other.onclose = () => (closed = true)
    const sessions = createSessions({
      name: "connected",
      open: openConnection({ server: () => connected, transport, ping: Infinity }, () => () => {}),
    })
    await expect(sessions.run("a", () => {})).rejects.toMatchObject({ reason: "Failed" })
    await sessions.drain()
    expect(closed).toBe(true)
  })
})

describe("a server", () => {
  it("may own what its tools need: it is released with the session, after the server is closed", async () => {
    const order: Array<string> = []
    const servers = createMcpSessions({
      name: "owning",
      server: async ({ use, id }) => {
        await use(Promise.resolve(id), () => void order.push("released"))
        const server = plain()
        // oxlint-disable-next-line unicorn/prefer-add-event-listener
        server.server.onclose = () => void order.push("closed")
        return server
      },
    })
    const { app } = notebooks()
    app.all("/own", mcpHandler(servers, { owner: () => "alice" }))
    const { url } = await serve(app)
    const { id } = await connect(url.replace("/mcp", "/own"))
    await servers.close({ owner: "alice", id })
    expect(order).toEqual(["closed", "released"])
    await servers.drain()
  })
})

describe("wrong options", () => {
  const good = { name: "options", server: plain }
  it("are told where they are given", () => {
    const wrong: ReadonlyArray<object> = [
      { ...good, server: plain() },
      { ...good, whenBusy: "queue" },
      { ...good, restart: {} },
      { ...good, maxTurns: 1 },
      { ...good, open: plain },
      { ...good, ping: 10 },
      { ...good, ping: "soon" },
      { ...good, keepAlive: 0 },
      { ...good, retry: -1 },
      { ...good, eventStore: {} },
      { ...good, enableJsonResponse: "yes" },
      { ...good, maxPerOwner: 0 },
      { server: plain },
    ]
    for (const options of wrong) {
      const make = () => createMcpSessions(options as never)
      expect([options, make]).toEqual([options, expect.toSatisfy(throwsInvalidOption)])
    }
    const servers = createMcpSessions({ ...good, idleTimeout: undefined, timeouts: undefined })
    for (const options of [
      {},
      { owner: "alice" },
      { owner: () => "a", onDisconnect: "stop" },
      { owner: () => "a", allowedHosts: ["http://x"] },
      { owner: () => "a", report: {} },
      { owner: () => "a", id: () => "x" },
    ])
      expect([options, () => mcpHandler(servers, options as never)]).toEqual([
        options,
        expect.toSatisfy(throwsInvalidOption),
      ])
    const others = createSessions({ name: "other", open: () => 1 })
    expect(() => mcpHandler(others as never, { owner: () => "a" })).toThrow("createMcpSessions")
  })
})

const throwsInvalidOption = (make: () => unknown): boolean => {
  try {
    make()
    return false
  } catch (error) {
    return error instanceof Error && "reason" in error && error.reason === "InvalidOption"
  }
}
