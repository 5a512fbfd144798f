/** MCP over Streamable HTTP, in the order of a request: the endpoint, the servers behind it. */
export { mcpHandler, type McpHandlerOptions } from "./mcpHandler.ts"
export type { McpHandler } from "./express.ts"
export {
  createMcpSessions,
  type McpPolicy,
  type McpRunOptions,
  type McpSessions,
  type McpSessionsOptions,
} from "./createMcpSessions.ts"
export type { AnyMcpServer } from "./openConnection.ts"
export type { EventStore } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
