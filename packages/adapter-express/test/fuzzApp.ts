/** The application under fire: several kinds of sessions behind one Express, written as applications are. */
import { createSessions, isSessionError, type Sessions, type Snapshot } from "@sojourn/core"
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express"
import { setTimeout as sleep } from "node:timers/promises"
import { inspect } from "node:util"
import { browserOwner, fromRequest, route, sendSse, sendStream, sessionErrors } from "../src/index.ts"
import { logins } from "./fuzzHostile.ts"
import type { Express } from "./versions.ts"

/** A resource that knows whose it is. */
interface Thing {
  readonly owner: string | undefined
  turns: number
}

/** What became of the sessions of one kind. */
export interface Figures {
  readonly name: string
  readonly live: number
  readonly counts: Snapshot["counts"]
  readonly opened: number
  readonly closed: number
}

export interface Target {
  readonly app: RequestHandler
  readonly figures: () => ReadonlyArray<Figures>
  /** Turns that met another owner's session. */
  readonly strangers: () => number
  /** Ends what does not end by itself. */
  readonly end: () => Promise<void>
}

/** An error of the application, with the status it wants. */
class Own extends Error {
  readonly status = 418
}

const chunk = Buffer.alloc(64 * 1024, "a chunk of a download. ")

export const target = (express: Express, version: 4 | 5): Target => {
  const kinds: Array<{ readonly sessions: Sessions<Thing>; opened: number; closed: number }> = []
  let strangers = 0

  const kind = (
    name: string,
    policy: Omit<Parameters<typeof createSessions<Thing>>[0], "name" | "open">,
    opening: () => unknown = () => {},
  ): Sessions<Thing> => {
    const sessions = createSessions<Thing>({
      name: `${version}-${name}`,
      open: async ({ owner, onClose }) => {
        entry.opened++
        onClose(() => void entry.closed++)
        await opening()
        return { owner, turns: 0 }
      },
      idleTimeout: 200,
      // What is remembered of one that was lost, or could not be opened, is let go of as soon.
      restart: { delay: 1, maxDelay: 20, within: 200, quarantine: 100 },
      ...policy,
      timeouts: { seat: 40, queue: 60, grace: 100, close: 2000, ...policy.timeouts },
    })
    const entry = { sessions, opened: 0, closed: 0 }
    kinds.push(entry)
    return sessions
  }
  let openings = 0
  const notes = kind("notes", { maxPerOwner: 3, maxSessions: 60 })
  const chats = kind("chats", {})
  const jobs = kind("jobs", { maxQueued: 2 })
  const files = kind("files", { concurrency: 4 })
  // Sometimes it fails, sometimes it takes longer than who asks for it stays.
  const flaky = kind("flaky", { timeouts: { open: 15 } }, async () => {
    openings++
    await sleep(openings % 4 === 0 ? 30 : 3)
    if (openings % 3 === 0) throw new Error("There is no database.")
  })
  const kept = kind("kept", { idleTimeout: Infinity, maxSessions: 40 })

  const visitor = browserOwner({ secret: "a secret of the fuzz test", maxNewOwners: 40 })
  const login = (req: Request): string | undefined => logins.get(req.get("authorization") ?? "")
  const param = (req: Request): string => req.params["id"] as string
  const asked = (req: Request): string => req.query["id"] as string
  const inBody = (req: Request): string => (req.body as { readonly id: string } | undefined)?.id as string
  const wildcard = (req: Request) => req.params[version === 5 ? "path" : "0"]

  const note = fromRequest(notes, { owner: visitor, id: param })
  const me = fromRequest(notes, { owner: visitor })
  const chat = fromRequest(chats, { owner: login, id: asked })
  const events = fromRequest(chats, { owner: visitor, id: param })
  const job = fromRequest(jobs, { owner: login, id: inBody })
  const file = fromRequest(files, { owner: login, id: wildcard })
  const uncertain = fromRequest(flaky, { owner: login, id: param })
  const own = fromRequest(jobs, { owner: login, id: param })
  // A mistake, which a setup check tells of.
  const naive = fromRequest(notes, { owner: (req) => req.get("x-user"), id: param })
  const lasting = fromRequest(kept, { owner: login, id: asked })

  const turn = (owner: string | undefined) => (thing: Thing) => {
    if (thing.owner !== owner) strangers++
    return ++thing.turns
  }
  const few = async function* (count: number, pause: number): AsyncGenerator<{ readonly n: number }> {
    for (let n = 1; n <= count; n++) {
      await sleep(pause)
      yield { n }
    }
  }

  const app = express()
    // Off under one of them: then addresses are the connection's, and a setup check has something to say.
    .set("trust proxy", version === 5)
    .set("query parser", "extended")
    .use(express.json({ strict: false }), express.urlencoded({ extended: true }), express.text())
    .get("/plain", (_req, res) => void res.send("plain"))
    .get(
      "/notes/:id",
      route(async (req, res) => void res.json(await note(req, res).run(turn(visitor(req, res))))),
    )
    .get(
      "/me",
      route(async (req, res) => void res.json(await me(req, res).run(turn(visitor(req, res))))),
    )
    .get(
      "/chats",
      route((req, res) =>
        sendSse(
          res,
          chat(req, res).stream(
            (thing) => {
              turn(login(req))(thing)
              return few(6, 1)
            },
            { resumable: { items: 3, keep: 300 } },
          ),
        ),
      ),
    )
    .get(
      "/chats/resume",
      route(async (req, res) => sendSse(res, await chat(req, res).resume())),
    )
    .get(
      "/events/:id",
      route((req, res) =>
        sendSse(
          res,
          events(req, res).stream(() => few(12, 2)),
          { done: "over", retry: 10 },
        ),
      ),
    )
    .post(
      "/jobs",
      route(async (req, res) => {
        const { busy, timeout } = req.query
        const result = await job(req, res).run(
          async (thing, { signal }) => {
            await sleep(15, undefined, { signal })
            return turn(login(req))(thing)
          },
          {
            ...(timeout === undefined ? {} : { timeout: 4 }),
            whenBusy: busy === "reject" || busy === "replace" ? busy : "queue",
          },
        )
        res.json(result)
      }),
    )
    .get(
      version === 5 ? "/files/*path" : "/files/*",
      route((req, res) =>
        sendStream(
          res,
          file(req, res).stream(async function* () {
            for (let part = 0; part < 6; part++) {
              yield chunk
              await sleep(1)
            }
          }),
        ),
      ),
    )
    .get(
      "/flaky/:id",
      route(async (req, res) => void res.json(await uncertain(req, res).run(turn(login(req))))),
    )
    .get(
      "/own/:id",
      route(async (req, res) => {
        const what = req.query["do"]
        const result = await own(req, res).run(async (thing, task) => {
          if (what === "throw") throw new Own("It did not work.")
          await sleep(2, undefined, { signal: task.signal })
          if (what === "broken") task.broken(new Error("The line is cut."))
          if (what === "close") task.close()
          if (what === "restart") task.restart()
          if (what === "background") task.background("later", () => sleep(5))
          if (what === "late") throw new Own("It did not work in time.")
          return turn(login(req))(thing)
        })
        res.json(result)
      }),
    )
    .get(
      "/broken-off/:id",
      route((req, res) =>
        sendStream(
          res,
          own(req, res).stream(async function* (_thing, task) {
            yield "a part"
            await sleep(1)
            if (req.query["do"] === "throw") throw new Own("There was no more.")
            task.broken(new Error("The line is cut."))
            await sleep(200, undefined, { signal: task.signal })
          }),
        ),
      ),
    )
    .get(
      "/beside/:id",
      route(async (req, res) => {
        const going = own(req, res, { onDisconnect: "continue" })
        res.json(await going.run((thing) => sleep(10, thing.turns)))
      }),
    )
    // Two that end because nobody waits for them any more.
    .get(
      "/waits/:id",
      route(async (req, res) => {
        await own(req, res).run((_thing, { signal }) => sleep(600_000, undefined, { signal }))
        res.end()
      }),
    )
    .get(
      "/endless/:id",
      route((req, res) =>
        // Silent after the first element, and without the client's own signal: only who reads it can leave it.
        sendSse(
          res,
          events(req, res, { onDisconnect: "continue" }).stream(async function* (_thing, { signal }) {
            yield { n: 1 }
            await sleep(600_000, undefined, { signal })
          }),
        ),
      ),
    )
    .post(
      "/close/:id",
      route(async (req, res) => {
        const session = own(req, res)
        res.json([await session.cancel(), (await session.close())?.reason])
      }),
    )
    .get(
      "/two/:id",
      route(async (req, res) => {
        const stored = await note(req, res).run(() => uncertain(req, res).run(turn(login(req))))
        res.json([stored, await me(req, res).run((thing) => thing.turns)])
      }),
    )
    .get(
      "/naive/:id",
      route(async (req, res) => void res.json(await naive(req, res).run(turn(req.get("x-user"))))),
    )
    .get(
      "/kept",
      route(async (req, res) => void res.json(await lasting(req, res).run(turn(login(req))))),
    )
    // Nothing stands between these and an error handler that prints whatever it is given.
    .get(
      "/bare/:id",
      route(async (req, res) => void res.json(await note(req, res).run(() => sleep(1, "slept")))),
      logged,
    )
    .use("/bare", logged)
    .use(sessionErrors({ report }))
    .use(last)

  return {
    app,
    strangers: () => strangers,
    figures: () =>
      kinds.map(({ sessions, opened, closed }) => {
        const { counts, more, name, sessions: live } = sessions.snapshot()
        return { name, counts, live: live.length + more, opened, closed }
      }),
    end: async () => void (await kept.drain()),
  }
}

/** All that a log may be given of an error of ours. */
const report = ({ error, ...rest }: { readonly error: unknown }): void => {
  console.error(error, rest)
  console.error(inspect(error, { depth: 10 }), JSON.stringify(error), String(error))
}

const logged: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  // What Express itself has to say of a path or a body it cannot read quotes it.
  if (!isSessionError(error)) return next(error)
  console.error(error)
  if (res.headersSent) return next(error)
  res.status("status" in error && typeof error.status === "number" ? error.status : 503).end()
}

const last: ErrorRequestHandler = (error: unknown, _req, res: Response, next) => {
  const status = typeof error === "object" && error !== null && "status" in error ? Number(error.status) : 500
  if (status >= 500) console.error(error)
  // Express closes the connection, and prints the error.
  if (res.headersSent) return next(error)
  res.status(status).json({ status })
}
