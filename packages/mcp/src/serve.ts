import type { JSONRPCRequest } from "@modelcontextprotocol/sdk/types.js"
import type { Task } from "@sojourn/core"
import { hasLeft } from "@sojourn/http"
import type { ServerResponse } from "node:http"
import { refuse, sessionGone, stopErrorOf } from "./answers.ts"
import { idInUse, idsOf, type Wanted } from "./ask.ts"
import type { Connection } from "./Connection.ts"
import type { AnyRequest } from "./express.ts"

/** In a turn of the session. */
export const serve = async (
  ask: Wanted,
  connection: Connection,
  task: Task,
  req: AnyRequest,
  res: ServerResponse,
): Promise<void> => {
  // Opened anew for an id that was issued before: its client has to introduce itself once more.
  if (ask.to !== "initialize" && !connection.isInitialized) {
    task.close()
    throw sessionGone(task)
  }
  switch (ask.to) {
    case "initialize":
      try {
        await answer(ask.requests, connection, task, req, res)
        // Only then is it known whether its id has reached the client.
        if (!res.closed) await new Promise((resolve) => res.once("close", resolve))
        return
      } finally {
        if (!connection.isInitialized || hasLeft(res)) task.close()
      }
    case "call":
      return answer(ask.requests, connection, task, req, res)
    case "listen":
      return connection.listen(req, res, task.signal, ask.resumes)
    case "tell":
    case "end":
      return connection.handle(req, res, req.body)
  }
}

const answer = async (
  requests: ReadonlyArray<JSONRPCRequest>,
  connection: Connection,
  task: Task,
  req: AnyRequest,
  res: ServerResponse,
): Promise<void> => {
  const ids = idsOf(requests)
  const call = ids === undefined ? undefined : connection.begin(ids, () => task.progress())
  if (ids === undefined || call === undefined) return refuse(res, idInUse)
  const { signal } = task
  signal.addEventListener("abort", () => call.stop(stopErrorOf(signal.reason)), { once: true })
  await connection.answer(call, ids, req, res, req.body)
  if (!res.headersSent && !hasLeft(res)) throw sessionGone(task)
}
