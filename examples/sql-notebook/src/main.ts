/**
 * `node src/main.ts`: measures a database per request against a session per visitor, checks what it claims, and then
 * leaves the notebook open in the browser until Ctrl-C. With `CI=true` it ends after the checks; with `--serve` it
 * starts with the notebook. `PORT`: a free one by default.
 */
import { drainOnSignals } from "@sojourn/express"
import { randomBytes } from "node:crypto"
import { createApp } from "./app.ts"
import { runDemo } from "./demo.ts"
import { createNotebooks } from "./notebook.ts"
import { serve } from "./serve.ts"

const notebooks = createNotebooks()
const app = createApp({
  notebooks,
  secret: process.env["NOTEBOOK_SECRET"] ?? randomBytes(32).toString("hex"),
})
const { server, url } = await serve(app, Number(process.env["PORT"] ?? 0))

let stopping = false
process.once("SIGINT", () => void (stopping = true)).once("SIGTERM", () => void (stopping = true))
const handlers = drainOnSignals({
  server,
  onDrained: (reports) => {
    const closed = reports.reduce((sum, report) => sum + report.closed, 0)
    console.log(`\nDrained. Databases closed: ${closed}.`)
  },
})

/** True if every check holds. */
const measure = async (): Promise<boolean> => {
  const checks = await runDemo(console.log)
  console.log("")
  for (const { what, holds } of checks) console.log(`  ${holds ? "ok  " : "FAIL"}  ${what}`)
  return checks.every(({ holds }) => holds)
}

try {
  if (!process.argv.includes("--serve") && !(await measure())) process.exitCode = 1
  if (process.env["CI"] === "true") {
    handlers[Symbol.dispose]()
    await notebooks.drain()
    server.close()
  } else console.log(`\nOpen ${url} in a browser. Ctrl-C closes every database and ends.`)
} catch (error) {
  // Ctrl-C while it measures: the databases go from under it, and the drain is about to end the process.
  if (!stopping) throw error
}
