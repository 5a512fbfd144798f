/** `@sojourn/inspector/client`: for a browser, a command line and programs. Of the schemas it has only the types. */
export {
  connectInspector,
  type ConnectOptions,
  type EventsOptions,
  type InspectorClient,
  type OfKind,
  type WatchOptions,
} from "./client/connectInspector.ts"
export { InspectorError } from "./client/InspectorError.ts"
export { applyFrame, type View } from "./client/frames.ts"
export type { Connection } from "./client/live.ts"
export type { Fetch } from "./client/Asking.ts"
export {
  readRecording,
  RecordingUnreadable,
  type ReadLimits,
  type RecordingUnreadableReason,
} from "./recording/readRecording.ts"
export type { RecordingHeader, RecordingLine } from "./recording/format.ts"
export { protocolVersion } from "./protocol/version.ts"
export type { Attribution, ProfileRequest } from "./protocol/profile.ts"
export type { About, Problem } from "./protocol/about.ts"
export type { Action, ActionRecord } from "./protocol/actions.ts"
export type {
  EventRow,
  EventsAnswer,
  HeatmapAnswer,
  HeatmapQuery,
  Points,
  SeriesAnswer,
  SeriesQuery,
  WarningRow,
  Warnings,
  WarningsAnswer,
} from "./protocol/events.ts"
export type { Durations, KindDetail, KindRow, Limits, Overview } from "./protocol/kinds.ts"
export type {
  ErrorText,
  Fact,
  Generation,
  Lease,
  SessionDetail,
  SessionRow,
  SessionTask,
  TaskDetail,
  TaskRef,
  TaskRow,
} from "./protocol/sessions.ts"
export type { Frame, Snapshot } from "./protocol/stream.ts"
export type {
  SessionFacets,
  SessionFilter,
  SessionQuery,
  SessionWindow,
  TaskFacets,
  TaskFilter,
  TaskQuery,
  TaskWindow,
} from "./protocol/windows.ts"
export {
  bounds,
  sections,
  sessionColumns,
  sessionStates,
  taskColumns,
  type ActionName,
  type ProblemCode,
  type Role,
  type Section,
  type SessionColumn,
  type TaskColumn,
} from "./protocol/words.ts"
