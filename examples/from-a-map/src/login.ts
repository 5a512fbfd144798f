/** Stands for your log-in: who asks is in `res.locals.user`, verified; anybody else is answered 401. */
import type { RequestHandler } from "express"

const users: ReadonlyMap<string, string> = new Map(
  ["alice", "bob", "carol"].map((user) => [`Bearer token-of-${user}`, user]),
)

export const login: RequestHandler = (req, res, next) => {
  const user = users.get(req.get("authorization") ?? "")
  if (user === undefined) {
    res.status(401).json({ message: "Log in first." })
    return
  }
  res.locals["user"] = user
  next()
}
