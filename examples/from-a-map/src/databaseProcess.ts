/** The process of one database: takes statements, one at a time, and ends when nobody is left who could ask. */
import { DatabaseSync } from "node:sqlite"
import type { Reply } from "./database.ts"

const db = new DatabaseSync(process.argv[2] ?? "")
// Kept for as long as this process lives: a second one for the same file fails here.
db.exec("pragma locking_mode = exclusive; begin exclusive; commit")
// Stands for a query that takes its time.
db.function("sleep", (milliseconds) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(milliseconds))
  return null
})

const tell = (reply: Reply): void => void process.send?.(reply)

process.on("message", ({ id, sql }: { readonly id: number; readonly sql: string }) => {
  try {
    tell({ id, rows: db.prepare(sql).all() as NonNullable<Reply["rows"]> })
  } catch (error) {
    tell({ id, error: error instanceof Error ? error.message : String(error) })
  }
})
tell({})
