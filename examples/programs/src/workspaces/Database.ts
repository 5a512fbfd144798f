/** One for each session, in a file of its own. */
import { Context, Data, Effect, Layer } from "effect"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"

export type Row = Record<string, unknown>
export class ConnectError extends Data.TaggedError("ConnectError")<{
  readonly url: string
  readonly cause: unknown
}> {}
export class QueryError extends Data.TaggedError("QueryError")<{
  readonly sql: string
  readonly cause: unknown
}> {}

export class Database extends Context.Service<
  Database,
  { readonly query: (sql: string) => Effect.Effect<ReadonlyArray<Row>, QueryError> }
>()("app/Database") {
  static readonly layer = (url: string) =>
    Layer.effect(
      Database,
      Effect.gen(function* () {
        const db = yield* Effect.acquireRelease(
          Effect.try({ try: () => connect(url), catch: (cause) => new ConnectError({ url, cause }) }),
          (opened) => Effect.sync(() => opened.close()),
        )
        return {
          query: (sql) =>
            Effect.try({
              try: () => db.prepare(sql).all(),
              catch: (cause) => new QueryError({ sql, cause }),
            }),
        }
      }),
    )
}

const connect = (url: string): DatabaseSync => {
  mkdirSync(dirname(url), { recursive: true })
  return new DatabaseSync(url)
}
