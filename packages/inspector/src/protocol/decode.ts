/** Requests, held against the schemas. Loaded with the first of them: the schemas are the larger part of this package. */
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"
import { Action } from "./actions.ts"
import { EventQuery, HeatmapQuery, SeriesQuery } from "./events.ts"
import { ProfileRequest, RecordingQuery } from "./profile.ts"
import { SnapshotQuery, StreamQuery } from "./stream.ts"
import { SessionQuery, TaskQuery } from "./windows.ts"

export { openApi } from "./openapi.ts"

const several = new Set(["kind", "state", "type", "name", "session"])
const numbers = new Set([
  "offset",
  "limit",
  "olderThanMs",
  "after",
  "everyMs",
  "from",
  "to",
  "stepMs",
  "points",
  "lastMs",
])
const flags = new Set(["idle", "warned", "ended", "together"])

/** What was wrong with what came, in words that repeat as little of it as possible. */
export class Undecodable extends Error {}

const decoder = <S extends Schema.ConstraintDecoder<unknown>>(schema: S): ((input: unknown) => S["Type"]) => {
  const decode = Schema.decodeUnknownExit(schema, { onExcessProperty: "error" })
  return (input) => {
    const exit = decode(input)
    if (Exit.isSuccess(exit)) return exit.value
    const error = Cause.squash(exit.cause)
    throw new Undecodable(error instanceof Error ? error.message : "not what is expected")
  }
}

/** Parameters as their schema wants them: `kind=a&kind=b&limit=5`. */
const given = (search: string): Record<string, unknown> => {
  const found: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, value] of new URLSearchParams(search)) {
    if (several.has(name)) ((found[name] ??= []) as Array<string>).push(value)
    else if (name in found) throw new Undecodable(`"${name}" is given more than once`)
    else if (numbers.has(name)) found[name] = /^\d{1,16}(?:\.\d{1,6})?$/.test(value) ? Number(value) : value
    else if (flags.has(name)) found[name] = value === "true" ? true : value === "false" ? false : value
    else found[name] = value
  }
  return { ...found }
}

const query = <S extends Schema.ConstraintDecoder<unknown>>(schema: S): ((search: string) => S["Type"]) => {
  const decode = decoder(schema)
  return (search) => decode(given(search))
}

export const decodeNoQuery = (search: string): void => {
  const [name] = Object.keys(given(search))
  if (name !== undefined) throw new Undecodable(`"${name}" is not asked for here`)
}
export const decodeSessionQuery: (search: string) => SessionQuery = query(SessionQuery)
export const decodeTaskQuery: (search: string) => TaskQuery = query(TaskQuery)
export const decodeEventQuery: (search: string) => EventQuery = query(EventQuery)
export const decodeSeriesQuery: (search: string) => SeriesQuery = query(SeriesQuery)
export const decodeHeatmapQuery: (search: string) => HeatmapQuery = query(HeatmapQuery)
export const decodeRecordingQuery: (search: string) => RecordingQuery = query(RecordingQuery)
export const decodeProfile: (body: unknown) => ProfileRequest = decoder(ProfileRequest)
export const decodeAction: (body: unknown) => Action = decoder(Action)

export interface StreamAsked {
  readonly stream: Omit<SnapshotQuery, "after">
  readonly sessions: SessionQuery
  readonly tasks: TaskQuery
}
const streamFields = new Set(Object.keys(StreamQuery.fields))
const decodeStream = decoder(StreamQuery)
const decodeSessions = decoder(SessionQuery)
const decodeTasks = decoder(TaskQuery)

/** Those of the stream, and those of the rows it shows. */
const asked = (all: Readonly<Record<string, unknown>>): StreamAsked => {
  const entries = Object.entries(all)
  const stream = decodeStream(Object.fromEntries(entries.filter(([name]) => streamFields.has(name))))
  const rest = Object.fromEntries(entries.filter(([name]) => !streamFields.has(name)))
  if (stream.view.split(",").includes("sessions"))
    return { stream, sessions: decodeSessions(rest), tasks: {} }
  return { stream, sessions: {}, tasks: decodeTasks(rest) }
}
export const decodeStreamQuery = (search: string): StreamAsked => asked(given(search))

const decodeAfter = decoder(Schema.Struct({ after: SnapshotQuery.fields.after }))
export const decodeSnapshotQuery = (search: string): StreamAsked & { readonly after: string | undefined } => {
  const params = new URLSearchParams(search)
  const after = params.get("after")
  params.delete("after")
  return { ...asked(given(params.toString())), after: decodeAfter(after === null ? {} : { after }).after }
}
