/** `node serve.ts <Express 4 or 5>`: a real application on its way out. It says what happens, a JSON value a line. */
import { createSessions } from "@sojourn/core"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { drainOnSignals, fromRequest, readiness, route, sendSse, sessionErrors } from "../../src/index.ts"
import { versions } from "../versions.ts"

const say = (line: unknown): void => console.log(JSON.stringify(line))
const express = versions.find(({ name }) => name === process.argv[2])?.express
if (express === undefined) throw new Error("no such version")

const books = createSessions({
  name: "books",
  open: ({ onClose }) => {
    onClose((reason) => say({ closed: reason }))
    return {}
  },
  timeouts: { grace: 200, close: 2000 },
})
const book = fromRequest(books, { owner: () => "alice", id: (req) => req.params["id"] })
books.subscribe(({ _tag }) => _tag === "DrainStarted" && say("draining"))

const app = express()
  .get("/ready", readiness())
  .get(
    "/turn/:id/:ms",
    route(async (req, res) => {
      const text = await book(req, res).run(async (_book, { signal }) => {
        say("started")
        await sleep(Number(req.params.ms), undefined, { signal })
        return "finished"
      })
      res.send(text)
    }),
  )
  .get(
    "/events/:id/:onDrain",
    route((req, res) =>
      sendSse(
        res,
        book(req, res).stream(async function* (_book, { draining }) {
          yield "begun"
          // What a turn does that wants to be done in time.
          if (!draining.aborted) await new Promise((resolve) => draining.addEventListener("abort", resolve))
          yield "ended"
        }),
        { onDrain: req.params.onDrain === "end" ? "end" : "finish" },
      ),
    ),
  )
  .use(sessionErrors())

const server = app.listen(0, "127.0.0.1", () => say({ port: (server.address() as AddressInfo).port }))
drainOnSignals({
  server,
  finishWithin: Number(process.env["FINISH_WITHIN"] ?? 10_000),
  onDrained: ([report]) => say({ finished: report?.finished, cut: report?.cut.length }),
})
