/**
 * The servers that are measured: the same Express app, with another way to keep a user's state. Each route is written as
 * applications write it.
 */
import { createSessions, type Sessions } from "@sojourn/core"
import { fromRequest, sendSse, sessionErrors } from "@sojourn/express"
import express, { type Express, type Request, type Response } from "express"
import { verified } from "./traffic.ts"

interface State {
  count: number
}

export interface ServedApp {
  readonly app: Express
  /** Every state there is. */
  readonly states: () => Iterable<State>
}

export const eventsPerAnswer = 100

/** The same in front of all routes: who asks, as a login has verified it. */
const appWithLogin = (): Express =>
  express().use((req: Request, res: Response, next) => {
    const user = verified.get(req.get("authorization") ?? "")
    if (user === undefined) return void res.status(401).end()
    res.locals["user"] = user
    next()
  })
const userOf = (res: Response): string => res.locals["user"] as string
const ownerOf = (_req: Request, res: Response): string => userOf(res)

async function* numbers(): AsyncGenerator<{ readonly n: number }> {
  for (let n = 1; n <= eventsPerAnswer; n++) yield { n }
}

const sseHead = { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" }

const byHand = (): ServedApp => {
  const states = new Map<string, State>()
  const opening = new Map<string, Promise<State>>()
  const stateOf = (user: string): State => {
    let state = states.get(user)
    if (state === undefined) states.set(user, (state = { count: 0 }))
    return state
  }
  /** For a state that takes time to open: two first requests must not open two. */
  const opened = (user: string): Promise<State> => {
    let state = opening.get(user)
    if (state === undefined) opening.set(user, (state = Promise.resolve(stateOf(user))))
    return state
  }
  const app = appWithLogin()
    .get("/pads/:pad", (_req, res) => {
      const state = stateOf(userOf(res))
      res.json(++state.count)
    })
    .get("/opened/:pad", async (_req, res) => {
      const state = await opened(userOf(res))
      res.json(++state.count)
    })
    .get("/events/loop/:pad", (_req, res) => {
      stateOf(userOf(res)).count++
      res.writeHead(200, sseHead)
      for (let n = 1; n <= eventsPerAnswer; n++) res.write(`id: ${n}\ndata: ${JSON.stringify({ n })}\n\n`)
      res.end()
    })
    .get("/events/:pad", async (_req, res) => {
      stateOf(userOf(res)).count++
      res.writeHead(200, sseHead)
      let id = 0
      for await (const element of numbers()) res.write(`id: ${++id}\ndata: ${JSON.stringify(element)}\n\n`)
      res.end()
    })
  return { app, states: () => states.values() }
}

const sojourn = (): ServedApp => {
  const states: Array<State> = []
  const sessions: Sessions<State> = createSessions({
    name: "pads",
    open: () => {
      const state = { count: 0 }
      states.push(state)
      return state
    },
  })
  const pad = fromRequest(sessions, { owner: ownerOf, id: (req) => req.params["pad"] as string })
  const own = fromRequest(sessions, { owner: ownerOf })
  const app = appWithLogin()
    .get("/pads/:pad", async (req, res) => {
      res.json(await pad(req, res).run((state) => ++state.count))
    })
    .get("/own/:pad", async (req, res) => {
      res.json(await own(req, res).run((state) => ++state.count))
    })
    .get("/events/:pad", (req, res) =>
      sendSse(
        res,
        pad(req, res).stream((state) => {
          state.count++
          return numbers()
        }),
      ),
    )
    .use(sessionErrors())
  return { app, states: () => states }
}

export const apps: { readonly [name: string]: () => ServedApp } = { byHand, sojourn }
