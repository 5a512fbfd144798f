import type { AnySessions } from "@sojourn/core"
import type { Server } from "node:http"

/** A line for whatever begins or ends, where a real server has its dashboard and metrics. */
export const logSessions = (sessions: AnySessions): void => {
  sessions.subscribe((event) => {
    if (event._tag === "Opened") console.log(`${event.session.key} opened`)
    else if (event._tag === "Closed") console.log(`${event.session.key} closed: ${event.reason}`)
    else if (event._tag === "TaskStarted")
      console.log(`${event.task.session.key} ${event.task.name}: started`)
    else if (event._tag === "TaskEnded")
      console.log(`${event.task.session.key} ${event.task.name}: ${event.outcome}`)
  })
}

export const logAddress = (server: Server): void => {
  server.on("listening", () => {
    const address = server.address()
    if (typeof address === "object" && address !== null)
      console.log(`listening on http://127.0.0.1:${address.port}`)
  })
}
