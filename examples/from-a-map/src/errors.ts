import type { ErrorRequestHandler } from "express"
import { SqlError } from "./database.ts"

/** What the user wrote is the user's to know; of anything else nothing is told. */
export const errors: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) next(error)
  else if (error instanceof SqlError) res.status(400).json({ message: error.message })
  else res.status(500).json({ message: "Something went wrong." })
}
