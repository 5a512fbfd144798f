/** The whole public surface, in the order of the path: request -> registry -> session -> task -> events. */
export { createSessions, defineSession } from "./face/createSessions.ts"
export type { SessionKey, SessionRef } from "./SessionKey.ts"
export type * from "./SessionOptions.ts"
export type {
  AnySessions,
  CallableSession,
  CallableSessions,
  Calls,
  CloseReason,
  CloseReport,
  Lease,
  Opening,
  ProbeContext,
  RunTask,
  Session,
  SessionStream,
  StreamTask,
  Task,
} from "./Sessions.ts"
export {
  isSessionError,
  SessionMisuse,
  SessionOpenFailed,
  SessionRefused,
  TaskStopped,
  type SessionError,
  type SessionMisuseReason,
  type SessionOpenFailedReason,
  type SessionRefusedReason,
  type TaskStoppedReason,
} from "./errors.ts"
export type {
  Explanation,
  LeaseInfo,
  SessionFact,
  SessionState,
  TaskInfo,
  TaskOutcome,
} from "./observe/Explanation.ts"
export type { SessionEvent, Warning } from "./observe/SessionEvent.ts"
export type { DrainReport, SessionSummary, Snapshot } from "./observe/Snapshot.ts"

// Where saved state is kept.
export { keyValueStore, type KeyValueStoreOptions } from "./store/keyValueStore.ts"
export { memoryStore, type MemoryStoreOptions } from "./store/memoryStore.ts"
export type { SessionStore, Stored } from "./store/SessionStore.ts"

// The Effect face.
export { Sessions, type SessionService } from "./face/effect/Sessions.ts"
export { CurrentSession, type CurrentSessionShape, type ProbeCheck } from "./face/effect/CurrentSession.ts"
export { CurrentTask, type CurrentTaskShape } from "./face/effect/CurrentTask.ts"
export type { EffectLease } from "./face/effect/lease.ts"
