/** What a turn is called in metrics and traces: a small vocabulary, whatever methods a client makes up. */
import type { Wanted } from "./ask.ts"

/** What the protocol lets a client ask of a server. */
const methods = new Set([
  "completion/complete",
  "initialize",
  "logging/setLevel",
  "ping",
  "prompts/get",
  "prompts/list",
  "resources/list",
  "resources/read",
  "resources/subscribe",
  "resources/templates/list",
  "resources/unsubscribe",
  "tasks/cancel",
  "tasks/get",
  "tasks/list",
  "tasks/result",
  "tools/call",
  "tools/list",
])

export const nameOf = (ask: Wanted): string => {
  if (ask.to === "initialize") return "initialize"
  if (ask.to !== "call") return ask.to
  const [request, ...others] = ask.requests
  if (request === undefined || others.length > 0) return "batch"
  return methods.has(request.method) ? request.method : "other"
}
