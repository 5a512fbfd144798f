/** Where the time and the memory of the process go. */
import * as Schema from "effect/Schema"
import { at, count, flag, hash, kind, listOf, milliseconds, ms, ratio, text } from "./fields.ts"
import { stamp } from "./kinds.ts"
import { bounds } from "./words.ts"

const { Literal, optionalKey, Struct } = Schema

const forMs = optionalKey(
  milliseconds("How long to look, 10 seconds.", bounds.profile.least, bounds.profile.most),
)
const named = <const P extends string>(profile: P) =>
  Literal(profile).annotate({ description: "What is to be had." })

export const ProfileRequest = Schema.Union([
  Struct({
    profile: named("attribution"),
    forMs,
    limit: optionalKey(
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5000 })).annotate({
        description: "Rows at most, 200. Count.",
      }),
    ),
  }).annotate({ description: "Whose code the event loop runs: by registry, session and task." }),
  Struct({
    profile: named("cpu"),
    forMs,
    intervalUs: optionalKey(
      Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 100_000 })).annotate({
        description: "Microseconds between two samples, 1 000. Count.",
      }),
    ),
  }).annotate({ description: "A `.cpuprofile` file, for the tools of a browser." }),
  Struct({
    profile: named("heap"),
    force: optionalKey(flag("Also where it may need more memory than there is.")),
  }).annotate({
    description:
      "A `.heapsnapshot` file. It stops the process for seconds, and holds every text in it: keys, tokens, what users wrote.",
  }),
]).annotate({ identifier: "ProfileRequest", description: "Which profile." })
export type ProfileRequest = typeof ProfileRequest.Type

const Row = Struct({
  kind,
  session: hash,
  what: text("turn, open, probe, save, close or resource: which code of the session.", 32),
  task: optionalKey(text("The task's name.", bounds.name)),
  over: flag("The run was over: it is what it left behind."),
  selfMs: ms("In its own code, without what it called of others."),
  share: ratio("Of the active time."),
  stretches: count("How often it went on."),
  longestMs: ms("The longest time in one go, in which nothing else could run."),
  errorMs: ms("Too large by at most this."),
}).annotate({
  identifier: "AttributedRow",
  description: "Time of one session, one task's name, one kind of run.",
})

export const Attribution = Struct({
  at: at("When it began."),
  elapsedMs: ms("How long it lasted."),
  activeMs: ms("In which the loop did not wait for something to do."),
  sessionsMs: ms("In code of sessions while their runs lasted."),
  overMs: ms("In code of runs that were over."),
  hostMs: ms("In code of none: the host, and Sojourn itself."),
  unattributedMs: ms("Active, but in no callback that Node tells of."),
  inferredMs: ms("Part of these, that is known only from its end."),
  overheadMs: ms("What the timing itself took, about."),
  errorShare: ratio("By which a share may be off."),
  stretches: count("Stretches of code in all."),
  kinds: listOf(
    Struct({ kind, selfMs: ms("In its own code."), share: ratio("Of the active time.") }),
    "By registry.",
    5000,
  ),
  rows: listOf(Row, "Most time first.", 5000),
  more: Struct({ rows: count("Rows left out."), selfMs: ms("Their time.") }),
}).annotate({ identifier: "Attribution", description: "Whose code the event loop ran." })
export type Attribution = typeof Attribution.Type

export const ProfileAnswer = Struct({ ...stamp, attribution: Attribution }).annotate({
  identifier: "ProfileAnswer",
})

export const RecordingQuery = Struct({
  lastMs: optionalKey(milliseconds("Only the last so long; all that is kept.", 0, bounds.recording)),
}).annotate({ identifier: "RecordingQuery" })
export type RecordingQuery = typeof RecordingQuery.Type
export const RecordingFile = Schema.String.check(Schema.isMaxLength(0)).annotate({
  identifier: "RecordingFile",
  description: "A file: lines of JSON, compressed with gzip. Sessions are hashes in it.",
})
export const recordingState = Struct({
  on: flag("What happens is kept."),
  lines: count("Lines that are kept."),
  size: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
    description: "What they take. Bytes.",
  }),
  from: optionalKey(at("The oldest line that is kept.")),
}).annotate({ description: "What is kept for /recording." })
