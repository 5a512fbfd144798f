import * as Schema from "effect/Schema"
import { at, count, flag, hash, kind, listOf, milliseconds, oneOf, shown, taskId, text } from "./fields.ts"
import { stamp } from "./kinds.ts"
import { TaskFilter } from "./windows.ts"
import { type ActionName, actionNames, bounds } from "./words.ts"

const { Literal, optionalKey, Struct } = Schema

const named = <const A extends ActionName>(action: A) =>
  Literal(action).annotate({ description: "What is to be done." })
const finishWithinMs = optionalKey(
  milliseconds("How long running turns may still go on, 0.", 0, bounds.finishWithin),
)
const expected = count(
  "How many the user has seen and agreed to. Where there are more now, nothing is done.",
  bounds.bulk,
)

export const Action = Schema.Union([
  Struct({ action: named("cancelTask"), kind, hash, task: taskId }).annotate({
    description: "Tell one task to stop.",
  }),
  Struct({ action: named("cancelTasks"), filter: TaskFilter, expected }).annotate({
    description: "Tell all tasks that match to stop.",
  }),
  Struct({ action: named("restart"), kind, hash, finishWithinMs }).annotate({
    description: "Replace a session's resource; what waits moves on to the next one.",
  }),
  Struct({ action: named("close"), kind, hash, finishWithinMs }).annotate({
    description: "End a session; what it saved is forgotten.",
  }),
  Struct({
    action: named("evictIdle"),
    kind,
    idleForMs: optionalKey(milliseconds("Only those that are idle for this long, 0.", 0, 31_536_000_000)),
    expected,
  }).annotate({ description: "Close idle sessions, as making room would; what they save is kept." }),
  Struct({
    action: named("drain"),
    kind,
    confirm: text("The registry's name once more, typed by who wants it.", bounds.name),
    finishWithinMs: optionalKey(
      milliseconds("How long running turns may still go on, 10 seconds.", 0, bounds.finishWithin),
    ),
  }).annotate({ description: "Shut a registry down for good." }),
  Struct({
    action: named("pin"),
    kind,
    hash,
    forMs: optionalKey(milliseconds("How long at most, 15 minutes.", 1000, bounds.pin.most)),
  }).annotate({ description: "Hold a lease on a session, so that it is not closed for being idle." }),
  Struct({ action: named("unpin"), kind, hash }).annotate({ description: "Release that lease." }),
  Struct({
    action: named("mute"),
    warning: text("The warning's name or id.", 64),
    kind: optionalKey(kind),
    forMs: optionalKey(milliseconds("How long, an hour.", 1000, bounds.mute.most)),
  }).annotate({ description: "Do not log a warning for a while, and show it as muted." }),
  Struct({
    action: named("unmute"),
    warning: text("The warning's name or id.", 64),
    kind: optionalKey(kind),
  }).annotate({ description: "End what `mute` began." }),
  Struct({ action: named("startRecording") }).annotate({
    description: "Keep what happens from now on, so that it can be had from /recording.",
  }),
  Struct({ action: named("stopRecording") }).annotate({ description: "Let it go." }),
]).annotate({ identifier: "Action", description: "What is to be done." })
export type Action = typeof Action.Type

const actionStates = [
  "asked",
  "interrupting",
  "restarting",
  "closing",
  "draining",
  "ended",
  "abandoned",
  "nothing",
  "failed",
] as const

export const ActionRecord = Struct({
  id: text("Of this action.", 64),
  action: oneOf(actionNames, "What was asked for."),
  by: text("Who asked, as far as the inspector knows: the role.", 32),
  kind: optionalKey(kind),
  session: optionalKey(hash),
  shown: optionalKey(shown),
  task: optionalKey(taskId),
  state: oneOf(
    actionStates,
    "`asked`: not begun. `interrupting`, `restarting`, `closing`, `draining`: under way. `ended`: what was asked for is over. `abandoned`: it would not end, and is waited for no more. `nothing`: there was nothing to do.",
  ),
  affected: count("Tasks told to stop, sessions closed or restarted."),
  unended: count("Of these, how many have not ended."),
  startedAt: at("When it began."),
  endedAt: optionalKey(at("When it was over.")),
  warning: optionalKey(text("The warning's name or id.", 64)),
  until: optionalKey(at("Until when a pin or a mute holds.")),
  leaked: optionalKey(flag("Something of the session had not ended at its deadline.")),
  error: optionalKey(text("Why it failed.")),
}).annotate({ identifier: "ActionRecord", description: "An action and what has come of it so far." })
export type ActionRecord = typeof ActionRecord.Type

export const ActionAnswer = Struct({ ...stamp, record: ActionRecord }).annotate({
  identifier: "ActionAnswer",
})
export const ActionsAnswer = Struct({
  ...stamp,
  records: listOf(ActionRecord, "The last ones, newest first."),
}).annotate({ identifier: "Actions" })
