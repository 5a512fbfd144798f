/** What one client has: a notebook, its tools, and a resource that shows it. Nothing here knows of sessions or of HTTP. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"

const text = (...lines: ReadonlyArray<string>) => ({
  content: lines.map((line) => ({ type: "text" as const, text: line })),
})

export const notebook = (owner: string): McpServer => {
  const notes = new Map<string, string>()
  const server = new McpServer({ name: "notebook", version: "1.0.0" }, { capabilities: { logging: {} } })

  server.registerTool(
    "write",
    { description: "Writes a note.", inputSchema: { title: z.string().min(1), note: z.string() } },
    ({ title, note }) => {
      notes.set(title, note)
      return text(`written: ${title}`)
    },
  )
  server.registerTool("list", { description: "The titles of all notes." }, () => text(...notes.keys()))
  server.registerTool(
    "read",
    { description: "Reads a note.", inputSchema: { title: z.string() } },
    ({ title }) => {
      const note = notes.get(title)
      return note === undefined ? { ...text(`no such note: ${title}`), isError: true } : text(note)
    },
  )
  // It ends at once when its client cancels it, or is gone: nobody would read the rest.
  server.registerTool(
    "recite",
    { description: "Reads all notes, slowly.", inputSchema: { everyMs: z.number().min(1).max(10_000) } },
    async ({ everyMs }, { signal, _meta, sendNotification }) => {
      const lines: Array<string> = []
      for (const [title, note] of notes) {
        await sleep(everyMs, undefined, { signal })
        lines.push(`${title}: ${note}`)
        const progressToken = _meta?.progressToken
        if (progressToken !== undefined)
          await sendNotification({
            method: "notifications/progress",
            params: { progressToken, progress: lines.length, total: notes.size },
          })
      }
      return text(...lines)
    },
  )
  // What it says later goes over the client's standing GET.
  server.registerTool(
    "remind",
    { description: "Says something after a while.", inputSchema: { what: z.string(), afterMs: z.number() } },
    ({ what, afterMs }) => {
      setTimeout(() => {
        if (server.isConnected()) void server.sendLoggingMessage({ level: "info", data: what })
      }, afterMs).unref()
      return text("it will be said")
    },
  )
  server.registerResource("notebook", "notebook://all", { title: `The notes of ${owner}` }, ({ href }) => ({
    contents: [...notes].map(([title, note]) => ({
      uri: `${href}/${encodeURIComponent(title)}`,
      text: note,
    })),
  }))
  return server
}
