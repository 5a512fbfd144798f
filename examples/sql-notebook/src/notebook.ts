/** The session: every visitor owns a private Postgres with the data set in it, opened once and kept while it is used. */
import { PGlite } from "@electric-sql/pglite"
import { createSessions, type Task, type Time } from "@sojourn/core"
import { csvLines } from "./csv.ts"
import { loadDataset } from "./dataset.ts"
import { DatabaseLost, readSql, runSql } from "./runSql.ts"

export interface NotebookPolicy {
  readonly idleTimeout?: Time
  readonly maxSessions?: number
}

export const createNotebooks = (policy: NotebookPolicy = {}) =>
  createSessions({
    name: "notebook",
    // One to three seconds, most of them on this thread: all other visitors wait meanwhile. That is the price of inline.
    open: async ({ use }) => {
      const db = await use(PGlite.create())
      await loadDataset(db)
      return db
    },
    handlers: {
      query: async (db, sql: string, task) => {
        const began = performance.now()
        try {
          const answer = await runSql(db, sql)
          return { ...answer, ms: performance.now() - began, generation: task.session.generation }
        } catch (error) {
          throw noticed(error, task)
        }
      },
    },
    streams: {
      /** As much as is read, and no faster. It is a turn: other queries of this visitor wait. */
      csv: async function* (db, sql: string, task) {
        try {
          let first = true
          for await (const { columns, rows } of readSql(db, sql)) {
            yield first ? csvLines([columns.map(({ name }) => name), ...rows]) : csvLines(rows)
            first = false
          }
        } catch (error) {
          throw noticed(error, task)
        }
      },
    },
    idleTimeout: policy.idleTimeout ?? "10 minutes",
    maxSessions: policy.maxSessions ?? placesFor(process.availableMemory()),
    maxQueued: 8,
    // Openings come one after the other in effect, so a place may take a while to come free.
    timeouts: { seat: "15 seconds" },
  })

export type Notebooks = ReturnType<typeof createNotebooks>

/** A mistake in the SQL leaves the database as it is; one that is lost is not used again, and the next query opens another. */
const noticed = (error: unknown, task: Task): unknown => {
  if (error instanceof DatabaseLost) task.broken(error)
  return error
}

/** Bytes: 250 MB of WebAssembly memory and a little more. */
const eachTakes = 300e6
/** Half of what is free, and no more than eight: one thread serves them all. */
export const placesFor = (bytes: number): number =>
  Math.min(8, Math.max(1, Math.floor(bytes / 2 / eachTakes)))
