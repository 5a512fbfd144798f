/** What the HTTP hosts share, in the order of a request: whose session is it, answer from it, say what went wrong, shut down. */
export { keyOf, refusedKey, type KeyFrom, type OwnedKey } from "./keyFrom.ts"
export { keyFinder } from "./keyFinder.ts"
export { bindSession, type Client, type FromRequestOptions, type Reachable } from "./bindSession.ts"
export {
  breakOff,
  clientGone,
  hasLeft,
  isClientGone,
  isClosed,
  presenceOf,
  type NodeResponse,
} from "./clientGone.ts"
export {
  BrowserOwners,
  type BrowserOwnerOptions,
  type CookieJar,
  type OwnerCookie,
  type OwnerCounts,
} from "./owner/browserOwners.ts"
export { SseFeed } from "./SseFeed.ts"
export { sseHeaders, type SseOptions } from "./sseOptions.ts"
export { BodyFeed, type BodyOptions, type Chunk } from "./BodyFeed.ts"
export { writeAll, type Feed } from "./writeAll.ts"
export {
  checkedProblemOptions,
  ofAnotherBody,
  problemAnswer,
  problemOf,
  publicError,
  type Problem,
  type ProblemAnswer,
  type ProblemOptions,
  type ProblemReport,
} from "./problem.ts"
export { readiness, type Readiness, type ReadinessOptions } from "./readiness.ts"
export { createReloadableSessions } from "./createReloadableSessions.ts"
export { checkMadeInHandler } from "./setup/madeInHandler.ts"
export { OwnerAsSent, type AsSent } from "./setup/ownerAsSent.ts"
export { checkProxy } from "./setup/proxy.ts"
