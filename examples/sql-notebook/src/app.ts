/** The routes. A request names its session by its cookie; all else is the registry's work. */
import { messages } from "@electric-sql/pglite"
import { browserOwner, fromRequest, sessionErrors } from "@sojourn/express"
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express"
import { tables } from "./dataset.ts"
import type { Notebooks } from "./notebook.ts"
import { contentSecurityPolicy, html } from "./page.ts"
import { DatabaseLost, NotRun } from "./runSql.ts"

export interface AppOptions {
  readonly notebooks: Notebooks
  /** Signs the visitors' cookies. */
  readonly secret: string
}

export const createApp = ({ notebooks, secret }: AppOptions): Express => {
  const notebook = fromRequest(notebooks, { owner: browserOwner({ secret }) })
  return (
    express()
      .disable("x-powered-by")
      .use(securityHeaders)
      .use(express.json({ limit: "64kb" }))
      .get("/", (_req, res) => void res.type("html").send(html))
      .get("/tables", (_req, res) => {
        res.json(
          tables.map(({ name, columns }) => ({ name, columns: columns.map((one) => [one.name, one.type]) })),
        )
      })
      // The first one opens the database, later ones find it open. Who goes away stops waiting.
      .post("/query", async (req, res) => {
        const sql: unknown = req.body?.sql
        if (typeof sql !== "string") {
          res.status(400).json({ error: { message: 'Send JSON: { "sql": "select 1" }.' } })
          return
        }
        res.json(await notebook(req, res).call.query(sql, { timeout: "30 seconds" }))
      })
      // Looking at a session neither opens it nor keeps it alive.
      .get("/session", (req, res) => {
        const explanation = notebooks.explain(notebook(req, res).key)
        const { state, session, closesAt, tasks } = explanation
        const closesIn = closesAt === undefined ? null : Math.max(0, closesAt - Date.now())
        res.json({
          state,
          generation: session.generation,
          closesIn,
          tasks: tasks.length,
          // The key says nothing to its owner.
          explanation: String(explanation).replaceAll(`session ${session.key}`, "your session"),
        })
      })
      .post("/session/close", async (req, res) => {
        const report = await notebook(req, res).close()
        res.json({ closed: report !== undefined })
      })
      .use(sqlErrors, sessionErrors(), otherErrors)
  )
}

const securityHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    "content-security-policy": contentSecurityPolicy,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  })
  next()
}

/** What the visitor wrote is the visitor's to know, so here the message is part of the answer. */
export const sqlErrors: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (error instanceof messages.DatabaseError) {
    const { message, code, detail, hint, position } = error
    res.status(400).json({ error: { message, code, detail, hint, position } })
  } else if (error instanceof NotRun) res.status(422).json({ error: { message: error.message } })
  else if (error instanceof DatabaseLost) res.status(500).json({ error: { message: error.message } })
  else next(error)
}

/** A body that is too large or no JSON says so itself; of anything else the visitor is told nothing. */
const otherErrors: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error)
  const known = error instanceof Error && "expose" in error && error.expose === true && "status" in error
  if (!known) console.error(error)
  const [status, message] = known
    ? [Number(error.status), error.message]
    : [500, "Something went wrong on our side."]
  res.status(status).json({ error: { message } })
}
