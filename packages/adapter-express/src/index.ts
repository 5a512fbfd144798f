/** The Express host, in the order of a request: whose session is it, answer from it, say what went wrong, shut down. */
export { fromRequest } from "./fromRequest.ts"
export { requestKey, type RequestKey } from "./requestKey.ts"
export { browserOwner, type BrowserOwner } from "./browserOwner.ts"
export { sendSse } from "./sendSse.ts"
export { sendStream } from "./sendStream.ts"
export { route, type Next } from "./route.ts"
export { sessionErrors, type SessionErrorHandler } from "./sessionErrors.ts"
export { readiness, type ReadinessHandler } from "./readiness.ts"
export { drainOnSignals, type DrainOnSignals } from "@sojourn/core/node"
export { createReloadableSessions } from "@sojourn/http"
export type { AnyRequest, AnyResponse, KeyFrom, RequestFor, ResponseFor, RoutedRequest } from "./express.ts"
export type {
  BodyOptions as SendStreamOptions,
  BrowserOwnerOptions,
  FromRequestOptions,
  OwnerCookie,
  OwnerCounts,
  Problem,
  ProblemOptions,
  ProblemReport,
  ReadinessOptions,
  SseOptions as SendSseOptions,
} from "@sojourn/http"
