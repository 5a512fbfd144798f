/**
 * The servers that are measured: the same Express app with one route, and another way to keep a user's state behind it. Each
 * is written as applications write it. One route each, since Express tries them in order: a second one would cost more.
 */
import { createSessions, type Sessions } from "@sojourn/core"
import { fromRequest, sendSse, sessionErrors } from "@sojourn/express"
import express, { type Express, type Request, type RequestHandler, type Response } from "express"
import { verified } from "./traffic.ts"

interface State {
  count: number
}

export interface ServedApp {
  readonly app: Express
  /** Every state there is. */
  readonly states: () => Iterable<State>
}

/** The same in front of all routes: who asks, as a login has verified it. */
const serving = (route: RequestHandler<{ readonly pad: string }>): Express =>
  express()
    .use((req: Request, res: Response, next) => {
      const user = verified.get(req.get("authorization") ?? "")
      if (user === undefined) return void res.status(401).end()
      res.locals["user"] = user
      next()
    })
    .get("/pads/:pad", route)
const userOf = (res: Response): string => res.locals["user"] as string
const ownerOf = (_req: Request, res: Response): string => userOf(res)

class Kept {
  readonly #states = new Map<string, State>()
  readonly all = (): Iterable<State> => this.#states.values()
  of(user: string): State {
    let state = this.#states.get(user)
    if (state === undefined) this.#states.set(user, (state = { count: 0 }))
    return state
  }
}

const map = (): ServedApp => {
  const kept = new Kept()
  const app = serving((_req, res) => {
    const state = kept.of(userOf(res))
    res.json(++state.count)
  })
  return { app, states: kept.all }
}

/** For a state that takes time to open: two first requests must not open two. */
const mapOfPromises = (): ServedApp => {
  const kept = new Kept()
  const opened = new Map<string, Promise<State>>()
  const app = serving(async (_req, res) => {
    const user = userOf(res)
    let opening = opened.get(user)
    if (opening === undefined) opened.set(user, (opening = Promise.resolve(kept.of(user))))
    const state = await opening
    res.json(++state.count)
  })
  return { app, states: kept.all }
}

/** One request of a user after the other, as the turns of a session are. */
const mapAndChain = (): ServedApp => {
  const kept = new Kept()
  const tails = new Map<string, Promise<unknown>>()
  const inOrder = (user: string, turn: (state: State) => number): Promise<number> => {
    const result = (tails.get(user) ?? Promise.resolve()).then(() => turn(kept.of(user)))
    tails.set(
      user,
      result.catch(() => {}),
    )
    return result
  }
  const app = serving(async (_req, res) => {
    res.json(await inOrder(userOf(res), (state) => ++state.count))
  })
  return { app, states: kept.all }
}

const withSessions = (
  route: (sessions: Sessions<State>) => RequestHandler<{ readonly pad: string }>,
): ServedApp => {
  const states: Array<State> = []
  const sessions: Sessions<State> = createSessions({
    name: "pads",
    open: () => {
      const state = { count: 0 }
      states.push(state)
      return state
    },
  })
  return { app: serving(route(sessions)).use(sessionErrors()), states: () => states }
}

const ownerAndId = (): ServedApp =>
  withSessions((sessions) => {
    const pad = fromRequest(sessions, { owner: ownerOf, id: (req) => req.params["pad"] as string })
    return async (req, res) => {
      res.json(await pad(req, res).run((state) => ++state.count))
    }
  })

const ownerAlone = (): ServedApp =>
  withSessions((sessions) => {
    const pad = fromRequest(sessions, { owner: ownerOf })
    return async (req, res) => {
      res.json(await pad(req, res).run((state) => ++state.count))
    }
  })

export const eventsPerAnswer = 100

async function* numbers(): AsyncGenerator<{ readonly n: number }> {
  for (let n = 1; n <= eventsPerAnswer; n++) yield { n }
}

const sseHead = { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" }

const writeLoop = (): ServedApp => {
  const kept = new Kept()
  const app = serving((_req, res) => {
    kept.of(userOf(res)).count++
    res.writeHead(200, sseHead)
    for (let n = 1; n <= eventsPerAnswer; n++) res.write(`id: ${n}\ndata: ${JSON.stringify({ n })}\n\n`)
    res.end()
  })
  return { app, states: kept.all }
}

const forAwait = (): ServedApp => {
  const kept = new Kept()
  const app = serving(async (_req, res) => {
    kept.of(userOf(res)).count++
    res.writeHead(200, sseHead)
    let id = 0
    for await (const element of numbers()) res.write(`id: ${++id}\ndata: ${JSON.stringify(element)}\n\n`)
    res.end()
  })
  return { app, states: kept.all }
}

const streamed = (): ServedApp =>
  withSessions((sessions) => {
    const pad = fromRequest(sessions, { owner: ownerOf, id: (req) => req.params["pad"] as string })
    return (req, res) =>
      sendSse(
        res,
        pad(req, res).stream((state) => {
          state.count++
          return numbers()
        }),
      )
  })

export const routes: { readonly [name: string]: () => ServedApp } = {
  "by hand: Map": map,
  "by hand: Map of promises": mapOfPromises,
  "by hand: Map + chain": mapAndChain,
  "sojourn, owner and id": ownerAndId,
  "sojourn, owner": ownerAlone,
}

export const streams: { readonly [name: string]: () => ServedApp } = {
  "by hand: res.write in a loop": writeLoop,
  "by hand: for await, res.write": forAwait,
  "sojourn, stream and sendSse": streamed,
}
