/** An MCP server over Streamable HTTP: a notebook for each client, behind a bearer token. */
import { drainOnSignals, readiness } from "@sojourn/express"
import { createMcpSessions, mcpHandler } from "@sojourn/mcp"
import express from "express"
import type { AddressInfo } from "node:net"
import { notebook } from "./notebook.ts"
import { requireBearer, userOf } from "./requireBearer.ts"
import { idleTimeout, maxPerOwner, port, users } from "./settings.ts"

const notebooks = createMcpSessions({
  name: "notebook",
  server: ({ owner = "nobody" }) => notebook(owner),
  idleTimeout,
  maxPerOwner,
})
notebooks.subscribe((event) => {
  if (event._tag === "Opened") console.log(`${event.session.owner} opened`)
  if (event._tag === "Closed") console.log(`${event.session.owner} closed: ${event.reason}`)
  if (event._tag === "TaskEnded") console.log(`${event.task.name}: ${event.outcome}`)
})

const app = express()
app.get("/ready", readiness())
app.all("/mcp", requireBearer(users), express.json(), mcpHandler(notebooks, { owner: userOf }))

const server = app.listen(port, "127.0.0.1", () =>
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`),
)
drainOnSignals({ server })
