/** The routes. A request names its session by its cookie; all else is the registry's work. */
import { messages } from "@electric-sql/pglite"
import { browserOwner, fromRequest, readiness, sendStream, sessionErrors } from "@sojourn/express"
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from "express"
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
      .get("/ready", readiness({ sessions: [notebooks] }))
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
        res.json(await notebook(req, res).call.query(sqlOf(req.body), { timeout: "30 seconds" }))
      })
      // All of it, at the visitor's pace. What goes wrong before the first row is still a status.
      .post("/query.csv", async (req, res) => {
        await sendStream(res, notebook(req, res).call.csv(sqlOf(req.body)), {
          headers: {
            "content-type": "text/csv; charset=utf-8",
            "content-disposition": 'attachment; filename="query.csv"',
          },
        })
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

const sqlOf = (body: unknown): string => {
  if (typeof body === "object" && body !== null && "sql" in body && typeof body.sql === "string")
    return body.sql
  throw new NoQuery()
}
class NoQuery extends Error {
  override readonly name = "NoQuery"
}

/** RFC 9457, as `sessionErrors` answers. */
const problem = (res: Response, status: number, title: string, more: object = {}): void => {
  res
    .status(status)
    .type("application/problem+json")
    .send(JSON.stringify({ title, status, ...more }))
}

/** What the visitor wrote is the visitor's to know, so here the message is part of the answer. */
export const sqlErrors: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  const answer = answerTo(error)
  if (answer === undefined) return next(error)
  // A download that had begun was broken off: a part must not look like the whole.
  if (!res.headersSent) problem(res, ...answer)
}
const answerTo = (error: unknown): readonly [status: number, title: string, more?: object] | undefined => {
  if (error instanceof messages.DatabaseError) {
    const { message, code, detail, hint, position } = error
    return [400, message, { sql: { code, detail, hint, position } }]
  }
  if (error instanceof NoQuery) return [400, 'Send JSON: { "sql": "select 1" }.']
  if (error instanceof NotRun) return [422, error.message]
  if (error instanceof DatabaseLost) return [500, error.message]
  return undefined
}

/** A body that is too large or no JSON says so itself; of anything else the visitor is told nothing. */
const otherErrors: ErrorRequestHandler = (error, _req, res, next) => {
  const known = error instanceof Error && "expose" in error && error.expose === true && "status" in error
  if (!known) console.error(error)
  if (res.headersSent) return next(error)
  if (known) problem(res, Number(error.status), error.message)
  else problem(res, 500, "Something went wrong on our side.")
}
