/** `@sojourn/inspector/protocol`: what goes over the wire, as Effect Schemas. */
export { protocolVersion } from "./protocol/version.ts"
export * from "./protocol/words.ts"
export { paths, type EndpointName, type Path } from "./protocol/paths.ts"
export {
  ErrorText,
  Fact,
  Generation,
  Lease,
  Peers,
  SessionDetail,
  SessionRow,
  SessionTask,
  StopText,
  TaskRef,
  TaskDetail,
  TaskRow,
} from "./protocol/sessions.ts"
export {
  Durations,
  Gauges,
  KindDetail,
  KindRow,
  Limits,
  Overview,
  TaskName,
  Totals,
} from "./protocol/kinds.ts"
export {
  SessionFacets,
  SessionFilter,
  SessionQuery,
  SessionsAnswer,
  SessionWindow,
  TaskFacets,
  TaskFilter,
  TaskQuery,
  TasksAnswer,
  TaskWindow,
} from "./protocol/windows.ts"
export {
  Column,
  EventQuery,
  EventRow,
  EventsAnswer,
  HeatmapAnswer,
  HeatmapQuery,
  Points,
  SeriesAnswer,
  SeriesQuery,
  WarningChange,
  WarningCount,
  WarningRow,
  Warnings,
  WarningsAnswer,
} from "./protocol/events.ts"
export { Action, ActionAnswer, ActionRecord, ActionsAnswer } from "./protocol/actions.ts"
export { Delta, Frame, Snapshot, SnapshotQuery, StreamQuery } from "./protocol/stream.ts"
export { Attribution, ProfileRequest, RecordingQuery } from "./protocol/profile.ts"
export { About, Problem } from "./protocol/about.ts"
export { endpoints, SessionAnswer, TaskAnswer, type Endpoint } from "./protocol/endpoints.ts"
export { openApi } from "./protocol/openapi.ts"
