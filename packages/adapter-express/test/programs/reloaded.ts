/** The module that changes: evaluated anew each time, with the number of the change in its URL. */
import type { RequestListener } from "node:http"
import { liveRegistries } from "@sojourn/core/host"
import { createReloadableSessions, fromRequest, route } from "../../src/index.ts"
import type { Express } from "../versions.ts"

const change = Number(new URL(import.meta.url).searchParams.get("change"))

const counters = createReloadableSessions({
  name: "counter",
  open: ({ owner }) => ({ owner, openedBy: change, turns: 0, begun: Promise.withResolvers<void>() }),
  concurrency: 2,
})
const counter = fromRequest(counters, { owner: (req) => req.params["owner"] })

export const app = (express: Express): RequestListener =>
  express()
    .get("/registries", (_req, res) => void res.json(liveRegistries().map(({ name }) => name)))
    .get(
      "/restart/:owner",
      route(async (req, res) => {
        await counters.restart({ owner: req.params.owner })
        res.json("restarted")
      }),
    )
    .get(
      "/:owner",
      route(async (req, res) => {
        const answer = await counter(req, res).run((c) => ({ openedBy: c.openedBy, turns: ++c.turns }))
        res.json({ ...answer, answeredBy: change })
      }),
    )
    .get(
      "/:owner/begun",
      route(async (req, res) => {
        res.json(await counter(req, res).run((c) => c.begun.promise.then(() => "begun")))
      }),
    )
    .get(
      "/:owner/slow",
      route(async (req, res) => {
        const openedBy = await counter(req, res).run(async (c) => {
          c.begun.resolve()
          // Until the next module is there, and has had a turn.
          while (c.turns < 3) await new Promise((resolve) => setTimeout(resolve, 5))
          return c.openedBy
        })
        res.json({ openedBy, slow: true })
      }),
    )
