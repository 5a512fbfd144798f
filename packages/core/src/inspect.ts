/** For who shows registries to people or machines: metrics, a dashboard, a recording. */
export { inspectionOf } from "./observe/inspect.ts"
export type {
  Acquisition,
  DurationStats,
  EndedTask,
  Gauges,
  Inspection,
  NamedTasks,
  OpeningOutcome,
  Totals,
} from "./observe/Inspection.ts"
export type { LiveSession, LiveTask } from "./observe/Live.ts"
export { liveRegistries, watchRegistries } from "./registry/process.ts"
export { sessionRefusedReasons, taskStoppedReasons } from "./errors.ts"
export { closeReasons } from "./closeReasons.ts"
