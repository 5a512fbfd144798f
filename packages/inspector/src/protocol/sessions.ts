import * as Schema from "effect/Schema"
import { at, count, flag, hash, kind, listOf, ms, oneOf, shown, text } from "./fields.ts"
import { bounds, liveTaskStates, sessionStates, taskOutcomes, taskTypes } from "./words.ts"

const { optionalKey, Struct } = Schema

export const SessionState = oneOf(sessionStates, "What the session is doing; `Closed`: only remembered.")
export const TaskState = oneOf(
  [...liveTaskStates, ...taskOutcomes],
  "What the task is doing, or how it ended.",
)
export const TaskType = oneOf(taskTypes, "What sort of task it is; `lease`: somebody waits for a lease.")
const errorPlaces = ["open", "task", "probe", "save", "close"] as const

export const ErrorText = Struct({
  at: at("When it happened."),
  in: oneOf(errorPlaces, "What failed."),
  text: text("The error in words, without stack and cause. Control characters are replaced."),
}).annotate({ identifier: "ErrorText", description: "An error, as far as it is shown." })
export type ErrorText = typeof ErrorText.Type

export const SessionRow = Struct({
  row: text("Unique among the rows of a window: kind and hash.", bounds.name + 17),
  kind,
  hash,
  shown: optionalKey(shown),
  state: SessionState,
  generation: count("How many times its resource was built in this stay, the one that opens included."),
  openedAt: optionalKey(at("When the live generation became ready.")),
  openingSince: optionalKey(at("When the opening under way began.")),
  closingSince: optionalKey(at("When the closing under way began.")),
  idleSince: optionalKey(at("Since when it is ready and nobody uses it.")),
  closesAt: optionalKey(at("When it closes if nobody uses it.")),
  running: count("Turns, streams and background work."),
  queued: count("All who wait: for a turn, or for the resource."),
  leases: count("Leases held."),
  turns: count("Runs and streams started on this generation."),
  oldestTaskAt: optionalKey(at("Of those that run or wait, when the first one was handed in.")),
  losses: count("Generations lost within the restart window."),
  failedOpens: count("Openings that failed in a row."),
  retryAt: optionalKey(at("Not opened before this.")),
  error: optionalKey(ErrorText),
  abandoned: count("Abandoned work of this generation that has not ended."),
  warnings: count("Warnings that are active for it."),
  pinned: flag("The inspector holds a lease on it."),
}).annotate({ identifier: "SessionRow", description: "One session." })
export type SessionRow = typeof SessionRow.Type

export const TaskRef = Struct({
  kind,
  session: hash,
  id: text("The task's id, unique in its registry.", 64),
  name: text("Its name.", bounds.name),
}).annotate({ identifier: "TaskRef", description: "Another task, in words: it may be gone." })
export type TaskRef = typeof TaskRef.Type

const stopReason = optionalKey(text("Why, as `TaskStopped` says it.", 64))
const stopBy = optionalKey(text("Who told it to stop.", 64))
const closeReason = optionalKey(text("Why its generation goes, as `CloseReason` says it.", 64))
export const StopText = Struct({
  reason: text("Why, as `TaskStopped` says it.", 64),
  by: stopBy,
  closeReason,
  from: listOf(
    Struct({ task: TaskRef, reason: stopReason, by: stopBy, closeReason }),
    "The calls it came down, from the task it was called from to the one that was told first.",
  ),
  at: optionalKey(at("When the work was told; absent: it was abandoned without.")),
  callerToldAt: optionalKey(at("When its caller had its outcome.")),
  abandonedAt: optionalKey(at("When it was given up because it would not end.")),
  endedAt: optionalKey(at("When it really ended.")),
  acknowledgedMs: optionalKey(ms("From being told to the real end.")),
}).annotate({ identifier: "Stop", description: "That a task was told to stop, and what came of it." })

export const TaskRow = Struct({
  row: text("Unique among the rows of a window: kind and id.", bounds.name + 65),
  kind,
  id: text("The task's id, unique in its registry.", 64),
  name: text("The task's name.", bounds.name),
  type: TaskType,
  state: TaskState,
  session: hash,
  shown: optionalKey(shown),
  queuedAt: at("When it was handed in."),
  startedAt: optionalKey(at("When it was started; absent while it waits.")),
  progressAt: optionalKey(at("Its last sign of life.")),
  toldAt: optionalKey(at("When it was told to stop.")),
  cut: optionalKey(text("Why it was told to stop.", 64)),
  endedAt: optionalKey(at("When it ended.")),
  abandoned: flag("It would not end, and its slot was given up."),
  waitsForCall: flag("A call it made is under way."),
  waitsForConsumer: flag("Of a stream: nobody asks for its next element."),
  parent: optionalKey(TaskRef),
  note: optionalKey(text("What it last said with `progress`.", bounds.note)),
  silenceMs: optionalKey(ms("How long it may run without a sign of life; absent: as long as it likes.")),
  knownBy: optionalKey(
    oneOf(
      ["fibers", "continuations", "signs"],
      "How it is known when its code runs; `signs`: only by what it does through Sojourn.",
    ),
  ),
  resumedAt: optionalKey(at("When its code was last seen to go on, at most half a second too early.")),
  resumes: optionalKey(count("How often its fibers went on.")),
  suspended: optionalKey(flag("Nothing of it has run for a second.")),
  suspendedMs: optionalKey(ms("Of its run, pauses of a second and longer in which nothing of it ran.")),
}).annotate({ identifier: "TaskRow", description: "One task." })
export type TaskRow = typeof TaskRow.Type

export const Lease = Struct({
  kind: oneOf(["turn", "stream", "background", "lease", "waiter"], "What holds the session."),
  name: text("Of the task or lease.", bounds.name),
  since: at("Since when."),
  progressAt: at("Its last sign of life."),
  expiresAt: optionalKey(at("When it ends if it gives no sign of life.")),
}).annotate({ identifier: "Lease", description: "Something that keeps a session alive." })
export type Lease = typeof Lease.Type

export const Fact = Struct({
  at: at("When."),
  generation: count("Which generation of that stay."),
  serial: count("The generation's number in its registry."),
  what: text(
    "What happened: Opening, Opened, OpenFailed, Lost, Quarantined, Closing, Closed and others.",
    64,
  ),
  detail: optionalKey(text("A reason, or an error in a few words.")),
}).annotate({ identifier: "Fact", description: "One fact of a session's life." })
export type Fact = typeof Fact.Type

export const Generation = Struct({
  generation: count("Which of that stay."),
  serial: count("Its number in its registry."),
  openingAt: optionalKey(at("When its opening began.")),
  openedAt: optionalKey(at("When it became ready.")),
  closingAt: optionalKey(at("When its closing began.")),
  closedAt: optionalKey(at("When nothing was left of it.")),
  end: optionalKey(text("Why it ended, or what its opening failed with.")),
  failed: flag("Its opening failed, or it was lost."),
}).annotate({
  identifier: "Generation",
  description: "One attempt to build and serve the resource, as far as its facts are remembered.",
})
export type Generation = typeof Generation.Type

const waits = ["seat", "backoff", "open", "turn", "probe", "restart", "leak"] as const
export const SessionTask = Struct({
  task: TaskRow,
  waitsFor: optionalKey(oneOf(waits, "What a queued task waits for.")),
  behind: count("How many are ahead of it in the same line."),
  waitEnds: optionalKey(
    Struct({
      clock: oneOf(["timeout", "queue", "seat"], "The clock that ends its waiting if nothing else does."),
      at: at("When it rings."),
    }),
  ),
}).annotate({ identifier: "SessionTask", description: "A task, and why it does not run yet." })
export type SessionTask = typeof SessionTask.Type

export const SessionDetail = Struct({
  session: SessionRow,
  words: text("Why it is alive, why it ended, why a request waits: for people.", 4000),
  serial: count("Number of its generation in the registry, for fences."),
  alive: listOf(Lease, "Everything that keeps it from being idle."),
  aliveCount: count("Of all of these, those left out included."),
  tasks: listOf(SessionTask, "What runs, then what waits, in order."),
  taskCount: count("Of all of these, those left out included."),
  ended: optionalKey(
    Struct({
      at: at("When its last generation ended."),
      reason: text("Why, as `CloseReason` says it.", 64),
    }),
  ),
  restartsLeft: count("Losses it may have before it is quarantined."),
  errors: listOf(ErrorText, "The last few, oldest first."),
  history: listOf(Fact, "The last facts of its life, oldest first."),
  generations: listOf(Generation, "The same, one for each generation, oldest first."),
}).annotate({ identifier: "SessionDetail", description: "All that is known of one session." })
export type SessionDetail = typeof SessionDetail.Type

export const Peers = Struct({
  name: text("The tasks' name; `other` beyond the first 50 names.", bounds.name),
  started: count("Tasks of this name, since the registry was made."),
  p50Ms: optionalKey(ms("Half of them ran at most this long.")),
  p95Ms: optionalKey(ms("95 of 100 ran at most this long.")),
}).annotate({ identifier: "Peers", description: "Tasks of the same name in the same registry." })

export const TaskDetail = Struct({
  task: TaskRow,
  session: optionalKey(SessionRow),
  waitsFor: optionalKey(oneOf(waits, "What it waits for.")),
  behind: optionalKey(count("How many are ahead of it in the same line.")),
  peers: optionalKey(Peers),
  children: listOf(TaskRow, "Calls it made, whose outcome it has not been told."),
  stop: optionalKey(StopText),
  stack: optionalKey(
    listOf(text("One line."), "Where it was handed in, innermost first, if stacks are captured."),
  ),
}).annotate({ identifier: "TaskDetail", description: "All that is known of one task." })
export type TaskDetail = typeof TaskDetail.Type
