/**
 * One statement of a stranger, with what PGlite allows to keep it in bounds. It is a Postgres inside this process, on
 * this thread: while a statement runs nothing else does, and no timer can stop it (`statement_timeout` is accepted and
 * does nothing). So what can be bounded is bounded before and after: the number of rows, their size, and the planner's
 * estimate of the work. That stops accidents. It does not stop somebody who hides work from the planner, in a recursive
 * query or a `pg_sleep`: that needs a session with a thread or process of its own, which can be ended from outside.
 */
import { messages, protocol, type PGlite } from "@electric-sql/pglite"

export interface Answer {
  readonly columns: ReadonlyArray<{ readonly name: string; readonly numeric: boolean }>
  /** As Postgres writes them; null is null. */
  readonly rows: ReadonlyArray<ReadonlyArray<string | null>>
  /** There is more than the limits let through. */
  readonly more: boolean
  /** What was done, such as `SELECT 3` or `CREATE TABLE`; of a cut result only `SELECT`. */
  readonly command: string
}

/** Rows in one answer. */
export const maxRows = 200
/** Characters in one cell, and in all cells together. */
const maxCell = 1000
const maxText = 500_000
/** In the planner's own unit. A cross join of all movies with themselves is 130 000: a few seconds. */
const maxCost = 300_000

/** Rows in one download, and of them at a time. */
const maxDownload = 100_000
const batch = 200

/** The statement was not run, or not to its end; the message says why. */
export class NotRun extends Error {
  override readonly name = "NotRun"
}
/** The database ended at this statement, and must not be used again: another statement would never return. */
export class DatabaseLost extends Error {
  override readonly name = "DatabaseLost"
  constructor(cause?: unknown) {
    super("The database did not survive this statement. Your next query gets a new one.", { cause })
  }
}

/**
 * Runs one statement. Not for two at a time: a session's turns see to that.
 *
 * @throws messages.DatabaseError Postgres says no; NotRun; DatabaseLost.
 */
export const runSql = async (db: PGlite, sql: string): Promise<Answer> => {
  await check(db, sql)
  // One row more than is shown, to know whether there is one.
  const { columns, rows: all, command } = read(await exchange(db, sql, maxRows + 1))
  const { rows, cut } = fitting(all.slice(0, maxRows))
  return { columns, rows, more: cut || all.length > maxRows, command }
}

/**
 * The whole result of one query, some rows at a time: never more of it is in memory, and it is computed as it is taken.
 * The names of the columns come with the first. Nothing that it might change is kept.
 *
 * @throws messages.DatabaseError Postgres says no; NotRun; DatabaseLost.
 */
export const readSql = async function* (
  db: PGlite,
  sql: string,
): AsyncGenerator<Pick<Answer, "columns" | "rows">> {
  await check(db, sql)
  // Who has begun a transaction keeps it.
  const inside = await inTransaction(db)
  await exchange(db, inside ? "savepoint download" : "begin", 0)
  let lost = false
  try {
    await exchange(db, `declare download no scroll cursor for ${sql}`, 0)
    for (let count = 0; ;) {
      const { columns, rows } = read(await exchange(db, `fetch ${batch} from download`, 0))
      yield { columns, rows }
      count += rows.length
      if (rows.length < batch) return
      if (count >= maxDownload) throw new NotRun(`More than ${maxDownload} rows cannot be downloaded here.`)
    }
  } catch (error) {
    lost = error instanceof DatabaseLost
    throw error
  } finally {
    // A database that is lost would not answer.
    if (!lost) await exchange(db, inside ? "rollback to download" : "rollback", 0)
  }
}

const inTransaction = async (db: PGlite): Promise<boolean> =>
  (await exchange(db, "", 0)).some((reply) => "status" in reply && reply.status === "T")

const check = async (db: PGlite, sql: string): Promise<void> => {
  // It ends a text in the protocol; what came behind it would be read as protocol.
  if (sql.includes("\0")) throw new NotRun("SQL cannot contain the character NUL.")
  const cost = await expectedCost(db, sql)
  if (cost !== undefined && cost > maxCost) {
    throw new NotRun(
      `Too much work: the planner expects a cost of ${Math.round(cost)}, and ${maxCost} is allowed here.`,
    )
  }
}

const read = (replies: ReadonlyArray<Reply>): Pick<Answer, "columns" | "rows" | "command"> => {
  const columns: Array<Answer["columns"][number]> = []
  const rows: Array<ReadonlyArray<string | null>> = []
  let command = "SELECT"
  for (const reply of replies) {
    if (reply instanceof messages.RowDescriptionMessage) {
      columns.push(
        ...reply.fields.map(({ name, dataTypeID }) => ({ name, numeric: numericTypes.has(dataTypeID) })),
      )
    } else if (reply instanceof messages.DataRowMessage) rows.push(reply.fields)
    else if (reply instanceof messages.CommandCompleteMessage) command = reply.text
    else if (reply.name === "emptyQuery") command = "nothing to do"
  }
  return { columns, rows, command }
}

/** Undefined for what cannot be explained: then the statement itself says what is wrong with it, or is a small command. */
const expectedCost = async (db: PGlite, sql: string): Promise<number | undefined> => {
  try {
    const replies = await exchange(db, `explain (format json) ${sql}`, 0)
    const row = replies.find((reply) => reply instanceof messages.DataRowMessage)
    const [plan] = JSON.parse(row?.fields[0] ?? "[]") as ReadonlyArray<{
      readonly Plan?: { readonly "Total Cost"?: number }
    }>
    return plan?.Plan?.["Total Cost"]
  } catch (error) {
    if (error instanceof messages.DatabaseError) return undefined
    throw error
  }
}

type Reply = Awaited<ReturnType<PGlite["execProtocol"]>>["messages"][number]
const { serialize } = protocol

/** By the extended protocol: it takes one statement only, and stops after that many rows (0: all). */
const exchange = async (db: PGlite, sql: string, rows: number): Promise<ReadonlyArray<Reply>> => {
  const request = Buffer.concat([
    serialize.parse({ text: sql }),
    serialize.bind(),
    serialize.describe({ type: "P" }),
    serialize.execute({ rows }),
    serialize.close({ type: "P" }),
    serialize.sync(),
  ])
  let replies: ReadonlyArray<Reply>
  try {
    ;({ messages: replies } = await db.execProtocol(request, { throwOnError: false }))
  } catch (error) {
    // With `throwOnError: false` that is no answer of Postgres, but the end of it: `copy cars from stdin` exits.
    throw new DatabaseLost(error)
  }
  const failure = replies.find((reply) => reply instanceof messages.DatabaseError)
  if (failure !== undefined) throw failure
  // Neither done nor failed: it fell out of its main loop, as with `copy … to program`.
  if (!replies.some(({ name }) => ends.has(name))) throw new DatabaseLost()
  return replies
}
const ends: ReadonlySet<string> = new Set(["commandComplete", "portalSuspended", "emptyQuery"])

/** Object ids of the numeric types: bigint, smallint, integer, oid, real, double precision, numeric. */
const numericTypes: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 1700])

const fitting = (rows: Answer["rows"]): { readonly rows: Answer["rows"]; readonly cut: boolean } => {
  const kept: Array<ReadonlyArray<string | null>> = []
  let left = maxText
  for (const row of rows) {
    const cells = row.map((cell) =>
      cell !== null && cell.length > maxCell ? `${cell.slice(0, maxCell)}…` : cell,
    )
    left -= cells.reduce((sum, cell) => sum + (cell?.length ?? 0), 0)
    if (left < 0) return { rows: kept, cut: true }
    kept.push(cells)
  }
  return { rows: kept, cut: false }
}
