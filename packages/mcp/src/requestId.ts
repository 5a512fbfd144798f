import type { RequestId } from "@modelcontextprotocol/sdk/types.js"

/**
 * The SDK (1.32.2) takes a cancellation of the request 0, or of the one with an empty id, for one of nothing
 * (modelcontextprotocol/typescript-sdk#2283), so its server never sees these two.
 */
const zero = "sojourn:0"
const empty = "sojourn:"

export const forServer = (id: RequestId): RequestId => (id === 0 ? zero : id === "" ? empty : id)
export const forClient = (id: RequestId): RequestId => (id === zero ? 0 : id === empty ? "" : id)
