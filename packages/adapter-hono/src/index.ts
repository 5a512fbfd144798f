/** The Hono host, on Node, in the order of a request: whose session is it, answer from it, say what went wrong, shut down. */
export { fromRequest } from "./fromRequest.ts"
export { requestKey, type RequestKey } from "./requestKey.ts"
export { browserOwner, type BrowserOwner, type BrowserOwnerOptions, type ClientSeen } from "./browserOwner.ts"
export { sendSse, type SendSseOptions } from "./sendSse.ts"
export { sendStream, type SendStreamOptions } from "./sendStream.ts"
export { sessionErrors, type SessionErrorsOptions } from "./sessionErrors.ts"
export { readiness, type ReadinessHandler } from "./readiness.ts"
export { drainOnSignals, type DrainOnSignals } from "@sojourn/core/node"
export { createReloadableSessions } from "@sojourn/http"
export type { AnyContext, KeyFrom } from "./hono.ts"
export type {
  FromRequestOptions,
  OwnerCookie,
  OwnerCounts,
  Problem,
  ProblemOptions,
  ProblemReport,
  ReadinessOptions,
} from "@sojourn/http"
