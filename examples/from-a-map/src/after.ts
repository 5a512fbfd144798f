/** A database per user, kept open between requests: the same routes on sessions. */
import { createSessions } from "@sojourn/core"
import { ownProcess } from "@sojourn/core/node"
import { drainOnSignals, fromRequest, sessionErrors } from "@sojourn/express"
import express from "express"
import { startDatabase } from "./database.ts"
import { errors } from "./errors.ts"
import { logAddress } from "./logAddress.ts"
import { login } from "./login.ts"
import { fileOf, idleTimeout, maxOpen, port, queryTimeout } from "./settings.ts"

const workspaces = createSessions({
  name: "workspace",
  open: async (session) => {
    const database = startDatabase(fileOf(session.id))
    ownProcess(session, database.process)
    await database.ready
    return database
  },
  idleTimeout,
  maxSessions: maxOpen,
  // A query that is told to stop cannot: its process is given up this much later, if somebody needs its place.
  timeouts: { grace: "1 second" },
})
const workspace = fromRequest(workspaces, { owner: (_req, res) => res.locals["user"] })

const app = express().use(express.json(), login)

app.post("/sql", async (req, res) => {
  const sql = String(req.body?.sql)
  const rows = await workspace(req, res).run((database) => database.query(sql), { timeout: queryTimeout })
  res.json({ rows })
})

app.delete("/workspace", async (req, res) => {
  res.json({ closed: (await workspace(req, res).close()) !== undefined })
})

app.use(sessionErrors(), errors)

const server = app.listen(port, "127.0.0.1")
logAddress(server)
drainOnSignals({ server, finishWithin: "2 seconds" })
