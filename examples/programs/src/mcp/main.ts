/**
 * An MCP server over Streamable HTTP in place of the usual Map of transports: bounded, expiring, bound to its owner, drained.
 */
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js"
import { createSessions } from "@sojourn/core"
import { drainOnSignals, fromRequest, sessionErrors } from "@sojourn/express"
import express from "express"
import { randomUUID } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { logAddress, logSessions } from "../log.ts"
import { idleTimeout, maxPerOwner, port } from "../settings.ts"
import { cancelRequests } from "./cancelRequests.ts"
import { createMcpServer } from "./notes.ts"
import { requireBearer } from "./requireBearer.ts"

const transports = new Set<StreamableHTTPServerTransport>()
const servers = createSessions({
  name: "mcp",
  open: async ({ id, use, onClose, end }) => {
    const server = await use(createMcpServer(), (made) => made.close())
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => id })
    // Not an event target: the SDK has this one handler.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    transport.onclose = end
    await server.connect(transport)
    transports.add(transport)
    onClose(() => transports.delete(transport))
    return transport
  },
  whenBusy: "overlap",
  restart: false,
  idleTimeout,
  maxPerOwner,
  timeouts: { silence: "Infinity" },
})
// A client's standing GET would be waited for like a tool call that may still finish. It never does.
servers.subscribe((event) => {
  if (event._tag === "DrainStarted") for (const transport of transports) transport.closeStandaloneSSEStream()
})
const sessionId = (req: IncomingMessage) => [req.headers["mcp-session-id"]].flat()[0]
const server = fromRequest(servers, {
  owner: (req) => req.auth?.clientId,
  id: (req) => sessionId(req) ?? randomUUID(),
})
const app = express().use(express.json())
app.all("/mcp", requireBearer, (req, res) =>
  server(req, res).run(
    (transport, { signal }) => {
      signal.addEventListener("abort", () => cancelRequests(transport, req.body), { once: true })
      return transport.handleRequest(req, res, req.body)
    },
    // Only a client that introduces itself opens a server.
    { mustExist: sessionId(req) !== undefined || !isInitializeRequest(req.body) },
  ),
)
app.use(sessionErrors())
logSessions(servers)
const http = app.listen(port, "127.0.0.1")
logAddress(http)
drainOnSignals({ server: http })
