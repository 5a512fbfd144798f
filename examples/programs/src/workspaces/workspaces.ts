/** The Effect face: Models is shared by the application, Database and Agent exist once per session. */
import { Sessions } from "@sojourn/core"
import { Effect, Layer, Schedule } from "effect"
import { data } from "../settings.ts"
import { Agent } from "./Agent.ts"
import { Database } from "./Database.ts"

export class Workspaces extends Sessions.Service<Workspaces>()("app/Workspaces", {
  layer: ({ key }) => Layer.merge(Database.layer(`${data}/${key}`), Agent.layer),
  idleTimeout: "15 minutes",
  maxPerOwner: 3,
}) {}

/** Effect<ReadonlyArray<Row>, QueryError | SessionError<ConnectError>, Workspaces> */
export const rows = Workspaces.run(
  "alice",
  Effect.flatMap(Database, (db) => db.query("select 1")),
  { name: "query" },
)
export const program = rows.pipe(
  Effect.retry({
    while: (error) => error._tag === "SessionRefused",
    schedule: Schedule.spaced("1 second"),
    times: 3,
  }),
  Effect.catchTag("SessionOpenFailed", (error) => Effect.logError(error.cause.url).pipe(Effect.as([]))),
)
