/** The Express host, in the order of a request: whose session is it, answer from it, say what went wrong, shut down. */
export { fromRequest, type FromRequestOptions } from "./fromRequest.ts"
export { requestKey, type KeyFrom } from "./requestKey.ts"
export { browserOwner, type BrowserOwnerOptions } from "./browserOwner.ts"
export { sendSse, type SendSseOptions } from "./sendSse.ts"
export { sessionErrors } from "./sessionErrors.ts"
export { drainOnSignals, type DrainOnSignals } from "@sojourn/core/node"
