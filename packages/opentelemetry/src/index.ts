/** Spans of sessions' openings, tasks and closes, through `@opentelemetry/api`. */
export { traceSessions, type TracingOptions } from "./traceSessions.ts"
