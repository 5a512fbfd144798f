/** A SQLite database in a process of its own: SQLite computes on the thread it is called from, and must not hold up everybody. */
import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"

type Row = Readonly<Record<string, string | number | null>>
/** From the process: `id` is the query's; without one it says that it is ready. */
export interface Reply {
  readonly id?: number
  readonly rows?: ReadonlyArray<Row>
  readonly error?: string
}

/** The statement is wrong; the database is as it was. */
export class SqlError extends Error {
  override readonly name = "SqlError"
}

export interface Database {
  readonly process: ChildProcess
  /** Resolves once it has the file, which it shares with nobody; rejects if it ended before. */
  readonly ready: Promise<void>
  /** Rejects when the statement is wrong, and when the process has ended. */
  readonly query: (sql: string) => Promise<ReadonlyArray<Row>>
  /** Ends the process, whatever it is doing; resolves once it has ended. */
  readonly close: () => Promise<void>
}

export const startDatabase = (file: string): Database => {
  const child = fork(join(import.meta.dirname, "databaseProcess.ts"), [file], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  })
  const asked = new Map<number, (reply: Reply) => void>()
  const begun = Promise.withResolvers<void>()
  child.on("message", (reply: Reply) => {
    if (reply.id === undefined) begun.resolve()
    else asked.get(reply.id)?.(reply)
  })
  child.once("exit", () => {
    begun.reject(new Error("the database could not be opened"))
    for (const answer of asked.values()) answer({ error: "the process has ended" })
  })
  // Who starts it may look at `ready` a moment later, or not at all.
  begun.promise.catch(() => {})

  let last = 0
  const query = async (sql: string): Promise<ReadonlyArray<Row>> => {
    const id = ++last
    const answer = new Promise<Reply>((resolve) => asked.set(id, resolve))
    try {
      await new Promise<void>((resolve, reject) => {
        child.send({ id, sql }, (error) => (error === null ? resolve() : reject(error)))
      })
      const { rows, error } = await answer
      if (rows !== undefined) return rows
      throw child.exitCode === null && child.signalCode === null ? new SqlError(error) : new Error(error)
    } finally {
      asked.delete(id)
    }
  }
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, "exit")
    child.kill()
    await exit
  }
  return { process: child, ready: begun.promise, query, close }
}
