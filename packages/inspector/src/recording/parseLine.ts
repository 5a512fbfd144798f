/**
 * A line that somebody gave us, as the type it says it is: its fields are looked at and taken over one by one, bounded and made
 * harmless, and what is not known is left out.
 */
import { cleaned } from "../safety/text.ts"
import { isPlainName } from "./plainName.ts"
import {
  type RecordedEvent,
  type RecordedSample,
  type RecordedWarning,
  recordingBounds,
  recordingFormat,
  type RecordingEnd,
  type RecordingHeader,
  type RecordingLine,
} from "./format.ts"

type Fields = Readonly<Record<string, unknown>>
/** Why it is no line of a recording. */
export class BadLine extends Error {}

const bad = (field: string): never => {
  throw new BadLine(`\`${field}\` is not what it should be`)
}
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const object = (fields: Fields, name: string): Fields => {
  const value = fields[name]
  return isObject(value) ? value : bad(name)
}
const number = (fields: Fields, name: string): number => {
  const value = fields[name]
  return typeof value === "number" && Number.isFinite(value) ? value : bad(name)
}
const text = (fields: Fields, name: string, most: number): string => {
  const value = fields[name]
  return typeof value === "string" ? cleaned(value, most) : bad(name)
}
const optional = <A>(
  fields: Fields,
  name: string,
  read: (fields: Fields, name: string) => A,
): A | undefined => (fields[name] === undefined ? undefined : read(fields, name))
const flag = (fields: Fields, name: string): boolean => {
  const value = fields[name]
  return typeof value === "boolean" ? value : bad(name)
}
const word = (fields: Fields, name: string): string => text(fields, name, recordingBounds.name)
const hash = (fields: Fields, name: string): string => {
  const value = fields[name]
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value) ? value : bad(name)
}
const numbers = (most: number) => (fields: Fields, name: string) => {
  const entries = Object.entries(object(fields, name))
  if (entries.length > most) bad(name)
  return Object.fromEntries(
    entries.map(([key, value]): [string, number] => {
      if (!isPlainName(key) || typeof value !== "number" || !Number.isFinite(value)) return bad(name)
      return [key, value]
    }),
  )
}
const evidence = numbers(recordingBounds.evidence)
const values = numbers(recordingBounds.series)

const task = (fields: Fields, name: string): NonNullable<RecordedEvent["task"]> => {
  const given = object(fields, name)
  return { id: word(given, "id"), name: word(given, "name"), type: word(given, "type") }
}
const errorText = (fields: Fields, name: string): string => text(fields, name, recordingBounds.text)

const event = (fields: Fields): RecordedEvent => ({
  type: "event",
  at: number(fields, "at"),
  kind: word(fields, "kind"),
  seq: number(fields, "seq"),
  what: eventName(fields),
  session: optional(fields, "session", hash),
  owner: optional(fields, "owner", hash),
  generation: optional(fields, "generation", number),
  serial: optional(fields, "serial", number),
  task: optional(fields, "task", task),
  outcome: optional(fields, "outcome", word),
  reason: optional(fields, "reason", word),
  by: optional(fields, "by", word),
  error: optional(fields, "error", errorText),
  durationMs: optional(fields, "durationMs", number),
  waitedMs: optional(fields, "waitedMs", number),
  ranMs: optional(fields, "ranMs", number),
  until: optional(fields, "until", number),
  leaked: optional(fields, "leaked", flag),
  lease: optional(fields, "lease", word),
  warning: optional(fields, "warning", word),
  evidence: optional(fields, "evidence", evidence),
  count: optional(fields, "count", number),
})
/** Names of later versions too: an event that is not known is still one that happened. */
const eventName = (fields: Fields): RecordedEvent["what"] => {
  const name = word(fields, "what")
  return /^[A-Za-z]{1,64}$/.test(name) ? (name as RecordedEvent["what"]) : bad("what")
}
const warning = (fields: Fields): RecordedWarning => ({
  type: "warning",
  at: number(fields, "at"),
  id: word(fields, "id"),
  active: flag(fields, "active"),
  kind: optional(fields, "kind", word),
  session: optional(fields, "session", hash),
  task: optional(fields, "task", word),
  evidence: optional(fields, "evidence", evidence),
})
const kindsOf = (fields: Fields): RecordedSample["kinds"] => {
  const { kinds } = fields
  if (!Array.isArray(kinds) || kinds.length > recordingBounds.kinds) return bad("kinds")
  return kinds.map((kind: unknown) =>
    isObject(kind) ? { kind: word(kind, "kind"), values: values(kind, "values") } : bad("kinds"),
  )
}
const sample = (fields: Fields): RecordedSample => ({
  type: "sample",
  at: number(fields, "at"),
  second: number(fields, "second"),
  seconds: number(fields, "seconds"),
  process: values(fields, "process"),
  kinds: kindsOf(fields),
  more: optional(fields, "more", number),
})
const end = (fields: Fields): RecordingEnd => ({
  type: "end",
  at: number(fields, "at"),
  lines: number(fields, "lines"),
})

/** Which recording this line begins; a number: one of that format, which is newer; undefined: none. */
export const headerOf = (parsed: unknown): Fields | number | undefined => {
  if (!isObject(parsed) || parsed["sojourn"] !== "recording") return undefined
  const { format } = parsed
  if (typeof format !== "number" || !Number.isInteger(format) || format < 1) return undefined
  return format > recordingFormat ? format : parsed
}
/** @throws BadLine */
export const parseHeader = (fields: Fields): RecordingHeader => {
  const running = object(fields, "process")
  const versions = object(fields, "versions")
  const left = object(fields, "left")
  return {
    type: "header",
    sojourn: "recording",
    format: recordingFormat,
    at: number(fields, "at"),
    from: number(fields, "from"),
    to: number(fields, "to"),
    process: {
      pid: number(running, "pid"),
      platform: word(running, "platform"),
      arch: word(running, "arch"),
      uptimeMs: number(running, "uptimeMs"),
    },
    versions: {
      node: word(versions, "node"),
      effect: word(versions, "effect"),
      core: word(versions, "core"),
      inspector: word(versions, "inspector"),
    },
    left: {
      overwritten: number(left, "overwritten"),
      tooMany: number(left, "tooMany"),
      notTold: number(left, "notTold"),
    },
  }
}
/** Undefined: of a type that a later version has added. @throws BadLine */
export const parseLine = (parsed: unknown): Exclude<RecordingLine, RecordingHeader> | undefined => {
  if (!isObject(parsed)) return bad("line")
  switch (parsed["type"]) {
    case "event":
      return event(parsed)
    case "warning":
      return warning(parsed)
    case "sample":
      return sample(parsed)
    case "end":
      return end(parsed)
    case "header":
      return bad("type")
    default:
      return typeof parsed["type"] === "string" ? undefined : bad("type")
  }
}
