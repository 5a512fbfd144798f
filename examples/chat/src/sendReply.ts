/** How a reply is sent: server-sent events as the AI SDK's clients expect them. */
import { TaskStopped, type SessionStream, type TaskStoppedReason } from "@sojourn/core"
import { sendSse } from "@sojourn/express"
import { UI_MESSAGE_STREAM_HEADERS, type UIMessageChunk } from "ai"
import type { Response } from "express"
import { BadMessage } from "./userMessage.ts"

// Of its headers only this one: the others would let a proxy or `compression` hold events back.
const version = "x-vercel-ai-ui-message-stream"

/** The reply's id goes along, so that a client can say which one it wants stopped. */
export const sendReply = (res: Response, stream: SessionStream<unknown> | undefined): Promise<void> =>
  sendSse(res, stream, {
    headers: { [version]: UI_MESSAGE_STREAM_HEADERS[version], "x-reply": stream?.id ?? "" },
    encodeError: (error: unknown) => JSON.stringify(lastChunk(error)),
    done: "[DONE]",
  })

/** What a client is told of a reply that did not come to its end. What the model's provider says is for the log. */
const lastChunk = (error: unknown): UIMessageChunk => {
  if (error instanceof BadMessage) return { type: "error", errorText: error.message }
  if (!(error instanceof TaskStopped)) return { type: "error", errorText: "The model failed. Try again." }
  return error.reason === "Cancelled"
    ? { type: "abort", reason: "stopped" }
    : { type: "error", errorText: stopped[error.reason] ?? "The reply was cut off. Try again." }
}

const stopped: { readonly [K in TaskStoppedReason]?: string } = {
  Silent: "The model said nothing for too long. Try again.",
  Drained: "The server is restarting. Try again in a moment.",
  Closed: "This conversation was deleted.",
}
