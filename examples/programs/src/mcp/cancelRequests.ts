import type { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { isJSONRPCRequest } from "@modelcontextprotocol/sdk/types.js"

/**
 * Cancels the requests of a body, as their client would have done before it left: the SDK tells a tool of a cancellation
 * that arrives as a message, and not of a connection that is gone. Without an event store nobody can fetch the answer.
 */
export const cancelRequests = (transport: StreamableHTTPServerTransport, body: unknown): void => {
  for (const message of [body].flat()) {
    if (!isJSONRPCRequest(message)) continue
    transport.onmessage?.({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: message.id, reason: "the client has left" },
    })
  }
}
