/** Stands for your log-in: it sets `req.user` to a user it has verified, or leaves it undefined. */
import type { RequestHandler } from "express"

interface User {
  readonly id: string
}
declare global {
  namespace Express {
    interface Request {
      user?: User
    }
  }
}

const users: ReadonlyMap<string, User> = new Map([
  ["Bearer token-of-alice", { id: "alice" }],
  ["Bearer token-of-bob", { id: "bob" }],
])

/** Also for what is no Express request: the upgrade to a WebSocket. */
export const userOf = (authorization: string | undefined): User | undefined => users.get(authorization ?? "")

export const login: RequestHandler = (req, _res, next) => {
  const user = userOf(req.get("authorization"))
  if (user !== undefined) req.user = user
  next()
}
