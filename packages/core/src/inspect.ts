/** For who shows registries to people or machines: metrics, a dashboard, a recording. */
export { inspectionOf, inspectionsOf } from "./observe/inspect.ts"
export type {
  Acquisition,
  DrainOutcome,
  DurationStats,
  EndedTask,
  Gauges,
  Inspection,
  NamedTasks,
  OpeningOutcome,
  SessionChanges,
  Totals,
} from "./observe/Inspection.ts"
export { callTreeOf, type CallTree } from "./observe/callTree.ts"
export { watchTasksClosely } from "./observe/closeWatch.ts"
export { currentRun, watchRuns, type Run } from "./observe/runs.ts"
export type { EndReason } from "./observe/Explanation.ts"
export type { KnownBy, LiveLease, LiveSession, LiveTask, TaskRef, TaskStop } from "./observe/Live.ts"
export type { StoppedBy } from "./observe/StopRecord.ts"
export { captureTaskStacks } from "./observe/taskStacks.ts"
export { inWords as explanationInWords } from "./observe/explain.ts"
export type {
  SessionSpan,
  SessionTracer,
  SpanAttributes,
  SpanEnd,
  SpanStart,
  SpanSubject,
} from "./observe/Span.ts"
export { liveRegistries, watchRegistries } from "./registry/process.ts"
export { hashedKey } from "./hashedKey.ts"
export { sessionRefusedReasons, taskStoppedReasons } from "./errors.ts"
export { closeReasons } from "./closeReasons.ts"
