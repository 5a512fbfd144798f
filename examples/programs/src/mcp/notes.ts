/** What an MCP server keeps for one client between its calls: here, notes. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"

export const createMcpServer = (): McpServer => {
  const notes: Array<string> = []
  const server = new McpServer({ name: "notes", version: "1.0.0" })
  server.registerTool(
    "note",
    {
      description: "Keeps a note, after a while if asked to, and gives all notes of this session.",
      inputSchema: { text: z.string(), afterMs: z.number().max(10_000).default(0) },
    },
    async ({ text, afterMs }, { signal }) => {
      await sleep(afterMs, undefined, { signal })
      notes.push(text)
      return { content: notes.map((note) => ({ type: "text", text: note })) }
    },
  )
  return server
}
