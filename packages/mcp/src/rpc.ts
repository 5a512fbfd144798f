/** JSON-RPC errors, as MCP clients expect them where an HTTP status is an answer: with the numbers that the SDK uses. */
import { ErrorCode, type RequestId } from "@modelcontextprotocol/sdk/types.js"

export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** What the SDK itself answers with; the protocol reserves these two numbers for its transports. */
export const badRequest = -32000
const sessionNotFound = -32001

export const requestCancelled: RpcError = { code: badRequest, message: "The request was cancelled." }

export const codeOf = (status: number): number => {
  if (status === 404) return sessionNotFound
  return status === 500 ? ErrorCode.InternalError : badRequest
}

/** Without an id: the answer to an HTTP request, not to one of the messages in it. */
export const refusalBody = (error: RpcError): object => ({ jsonrpc: "2.0", error, id: null })

/** The answer to one message. */
export const failure = (
  id: RequestId,
  { code, message }: RpcError,
): { jsonrpc: "2.0"; id: RequestId; error: { code: number; message: string } } => ({
  jsonrpc: "2.0",
  id,
  error: { code, message },
})
