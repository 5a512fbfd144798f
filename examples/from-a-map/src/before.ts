/**
 * A database per user, kept open between requests: by hand. A Map, a lock so that queries of one user do not mix, a timer
 * that closes what nobody uses, and a loop that closes the rest at the end. It passes the tests one writes for it.
 */
import express from "express"
import { startDatabase, type Database } from "./database.ts"
import { errors } from "./errors.ts"
import { logAddress } from "./logAddress.ts"
import { login } from "./login.ts"
import { fileOf, idleTimeout, port } from "./settings.ts"

interface Workspace {
  readonly database: Database
  /** Settles when the last query that was let in has ended. */
  tail: Promise<unknown>
  idle: NodeJS.Timeout | undefined
}
const workspaces = new Map<string, Workspace>()

const workspaceOf = async (user: string): Promise<Workspace> => {
  const known = workspaces.get(user)
  if (known !== undefined) return known
  const database = startDatabase(fileOf(user))
  await database.ready
  const workspace: Workspace = { database, tail: Promise.resolve(), idle: undefined }
  workspaces.set(user, workspace)
  return workspace
}

const closeWorkspace = async (user: string): Promise<boolean> => {
  const workspace = workspaces.get(user)
  if (workspace === undefined) return false
  workspaces.delete(user)
  clearTimeout(workspace.idle)
  await workspace.database.close()
  return true
}

/** The lock: work begins when the work before it has ended, however it ended. */
const inTurn = <A>(workspace: Workspace, work: () => Promise<A>): Promise<A> => {
  const turn = workspace.tail.then(work)
  workspace.tail = turn.catch(() => {})
  return turn
}

const app = express().use(express.json(), login)

app.post("/sql", async (req, res) => {
  const user: string = res.locals["user"]
  const workspace = await workspaceOf(user)
  // Not idle while it is used; from the answer on, it is.
  clearTimeout(workspace.idle)
  res.once("finish", () => {
    workspace.idle = setTimeout(() => void closeWorkspace(user), idleTimeout)
  })
  const rows = await inTurn(workspace, () => workspace.database.query(String(req.body?.sql)))
  res.json({ rows })
})

app.delete("/workspace", async (_req, res) => {
  res.json({ closed: await closeWorkspace(res.locals["user"]) })
})

app.use(errors)

const server = app.listen(port, "127.0.0.1")
logAddress(server)

const shutdown = async (): Promise<void> => {
  server.close()
  for (const workspace of workspaces.values()) {
    // What runs may end first.
    await workspace.tail
    await workspace.database.close()
  }
  process.exit(0)
}
process.once("SIGTERM", () => void shutdown())
process.once("SIGINT", () => void shutdown())
