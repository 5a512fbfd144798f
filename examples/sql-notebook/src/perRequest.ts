/** What the notebook would be without sessions: the same database, opened for each request and closed after it. */
import { PGlite } from "@electric-sql/pglite"
import express, { type Express } from "express"
import { sqlErrors } from "./app.ts"
import { loadDataset } from "./dataset.ts"
import { runSql } from "./runSql.ts"

export const createPerRequestApp = (onOpened: () => void): Express =>
  express()
    .use(express.json({ limit: "64kb" }))
    .post("/query", async (req, res) => {
      await using db = await PGlite.create()
      await loadDataset(db)
      onOpened()
      res.json(await runSql(db, String(req.body.sql)))
    })
    .use(sqlErrors)
