/** The routes. A request names its conversation by its cookie and its path; all else is the registry's work. */
import { browserOwner, fromRequest, readiness, sessionErrors, type ProblemReport } from "@sojourn/express"
import type { LanguageModel } from "ai"
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express"
import { join } from "node:path"
import type { Chats } from "./chats.ts"
import { makeReply } from "./makeReply.ts"
import { sendReply } from "./sendReply.ts"
import { BadMessage, userMessage } from "./userMessage.ts"

export interface AppOptions {
  readonly chats: Chats
  readonly model: LanguageModel
  /** Signs the visitors' cookies. */
  readonly secret: string
  /** Told of each request that was refused, and of what went wrong otherwise. */
  readonly log?: (what: unknown) => void
}

export const createApp = ({ chats, model, secret, log = () => {} }: AppOptions): Express => {
  // An application with a log-in has its user's id here.
  const owner = browserOwner({ secret })
  const chat = fromRequest(chats, { owner, id: (req) => req.params["chat"] })
  // Which conversation, as a hash of its key: a log is no place for keys.
  const report = ({ status, reason, session }: ProblemReport): void => log({ status, reason, session })

  return (
    express()
      .disable("x-powered-by")
      .get("/ready", readiness({ sessions: [chats] }))
      .use(securityHeaders)
      // The page brings the cookie, before there can be two requests at once.
      .get("/", (req, res, next) => {
        owner(req, res)
        next()
      })
      .use(express.static(join(import.meta.dirname, "../public")))
      .use(express.json({ limit: "64kb" }))
      // Refused while another reply is being made: two answers at once are no conversation. It goes on without a reader.
      .post("/chats/:chat", async (req, res) => {
        const message = await userMessage(req.body?.message)
        const stream = chat(req, res).stream(
          (conversation, { signal }) => makeReply(conversation, message, { model, signal }),
          { name: "reply", whenBusy: "reject", resumable: true },
        )
        await sendReply(res, stream)
      })
      // From its beginning, or from behind the last event the client has; 204 when there is none to go on with.
      .get("/chats/:chat/stream", async (req, res) => sendReply(res, await chat(req, res).resume()))
      // Who says which reply is meant stops no newer one, however late the request comes.
      .post("/chats/:chat/stop", async (req, res) => {
        const reply: unknown = req.body?.reply
        res.json({ stopped: await chat(req, res).cancel(typeof reply === "string" ? { task: reply } : {}) })
      })
      // Beside a reply that is being made, which is not part of it yet.
      .get("/chats/:chat", async (req, res) => {
        res.json(
          await chat(req, res).run(({ messages }) => messages.slice(), {
            name: "history",
            whenBusy: "overlap",
          }),
        )
      })
      // Stops its reply, and what was put away of it is forgotten.
      .delete("/chats/:chat", async (req, res) => {
        await chat(req, res).close()
        res.status(204).end()
      })
      .use(badMessages, sessionErrors({ report }), otherErrors(log))
  )
}

const securityHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    "content-security-policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  })
  next()
}

const badMessages: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (!(error instanceof BadMessage) || res.headersSent) return next(error)
  res.status(error.status).json({ title: error.message, status: error.status })
}

/** A body that is too large or no JSON says so itself; of anything else the visitor is told nothing. */
const otherErrors =
  (log: NonNullable<AppOptions["log"]>): ErrorRequestHandler =>
  (error: unknown, _req, res, next) => {
    const known = error instanceof Error && "expose" in error && error.expose === true && "status" in error
    if (!known) log(error)
    // A reply that failed has told the client already.
    if (res.writableEnded) return
    if (res.headersSent) return next(error)
    const [status, title] = known ? [Number(error.status), error.message] : [500, "Something went wrong."]
    res.status(status).json({ title, status })
  }
