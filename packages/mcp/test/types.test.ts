/** The types of Express 5, and those of 4, which fit those of 5 nowhere. */
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import express, { type Request } from "express"
import express4, { type Request as Request4 } from "express4"
import { expect, expectTypeOf, test } from "vitest"
import { createMcpSessions, mcpHandler, type McpSessions } from "../src/index.ts"

// Never run: what it says is checked by the compiler.
const unused = () => {
  const servers = createMcpSessions({
    name: "typed",
    server: () => new McpServer({ name: "x", version: "1" }),
  })
  expectTypeOf(servers).toEqualTypeOf<McpSessions<McpServer>>()
  expectTypeOf(servers.run("x", (server) => server.isConnected())).toEqualTypeOf<Promise<boolean>>()
  const low = createMcpSessions({
    name: "typed",
    server: async (session) => new Server({ name: session.id, version: "1" }, { capabilities: {} }),
  })
  expectTypeOf(low).toEqualTypeOf<McpSessions<Server>>()

  const handler = mcpHandler(servers, { owner: (req) => req.auth?.clientId })
  const verifier = { verifyAccessToken: () => Promise.reject(new Error("unused")) }
  express().all("/mcp", requireBearerAuth({ verifier }), express.json(), handler)
  express().all(
    "/mcp/:tenant",
    mcpHandler(low, { owner: (req: Request<{ tenant: string }>) => req.params.tenant }),
  )
  express4().all("/mcp", express4.json(), handler)
  interface LoggedIn extends Request4 {
    readonly user: string
  }
  const own = mcpHandler(servers, { owner: (req: LoggedIn) => req.user })
  express4().all("/mcp", (req, res, next) => own(Object.assign(req, { user: "alice" }), res, next))

  // @ts-expect-error an owner is needed
  mcpHandler(servers, {})
  // @ts-expect-error a request that no login has been added to
  express4().all("/mcp", own)
  // @ts-expect-error a server never opens
  void servers.run("x", () => {}, { mustExist: false })
  createMcpSessions({
    name: "typed",
    server: () => new McpServer({ name: "x", version: "1" }),
    // @ts-expect-error its turns overlap
    whenBusy: "queue",
  })
  // @ts-expect-error no MCP server
  createMcpSessions({ name: "typed", server: () => ({ close: async () => {} }) })
}

test("the types of both versions fit", () => {
  expect(unused).toBeTypeOf("function")
})
