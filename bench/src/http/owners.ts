/** What it costs to know who asks, from the cookie of a browser that was here before. */
import { browserOwner } from "@sojourn/express"
import express, { type Request, type Response } from "express"
import session from "express-session"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Work } from "../harness.ts"

const secret = "a secret of the benchmark"

export interface Owners {
  readonly works: ReadonlyArray<Work>
  readonly end: () => void
}

/** A real request of a browser with both cookies; each visit is a fresh object before it, since hosts keep things on requests. */
export const owners = async (): Promise<Owners> => {
  const owner = browserOwner({ secret })
  const sessions = session({ secret, resave: false, saveUninitialized: true })
  const held = Promise.withResolvers<{ readonly req: Request; readonly res: Response }>()
  const app = express()
    .get("/first", sessions, (req, res) => void res.send(owner(req, res)))
    .get("/held", (req, res) => held.resolve({ req, res }))
  const server = createServer(app)
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const first = await fetch(`${url}/first`)
  const id = await first.text()
  const cookie = first.headers
    .getSetCookie()
    .map((text) => text.split(";", 1)[0])
    .join("; ")
  void fetch(`${url}/held`, { headers: { cookie } }).catch(() => {})
  const { req, res } = await held.promise
  const visit = (): Request => Object.create(req) as Request
  const answer = (): Response => Object.create(res) as Response

  const works: ReadonlyArray<Work> = [
    {
      name: "the header alone",
      batch: async (count) => {
        let sum = 0
        for (let i = 0; i < count; i++) {
          answer()
          sum += visit().headers.cookie?.length ?? 0
        }
        return sum
      },
      expected: (count) => count * cookie.length,
    },
    {
      name: "browserOwner",
      batch: async (count) => {
        let sum = 0
        for (let i = 0; i < count; i++) if (owner(visit(), answer()) === id) sum++
        return sum
      },
      expected: (count) => count,
    },
    {
      name: "express-session, MemoryStore",
      // It looks its session up behind a `setImmediate`: all at the same time, so that waiting is not measured.
      batch: (count) =>
        new Promise((resolve) => {
          let sum = 0
          let left = count
          for (let i = 0; i < count; i++) {
            const seen = visit()
            void sessions(seen, answer(), () => {
              // A session it does not know would be a new one, with a new id.
              if (cookie.includes(seen.sessionID)) sum++
              if (--left === 0) resolve(sum)
            })
          }
        }),
      expected: (count) => count,
    },
  ]
  const end = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { works, end }
}
