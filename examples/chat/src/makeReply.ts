/** The turn: the model's answer, as it comes, and into the conversation. */
import {
  convertToModelMessages,
  generateId,
  streamText,
  toUIMessageStream,
  type LanguageModel,
  type UIMessage,
  type UIMessageChunk,
} from "ai"
import type { Conversation } from "./chats.ts"
import { addMessage } from "./userMessage.ts"

/** Of one answer. */
const maxOutputTokens = 4000

export interface ReplyOptions {
  readonly model: LanguageModel
  readonly signal: AbortSignal
}

/**
 * Throws what the model failed with: the AI SDK makes that an element like any other, and the turn would have succeeded.
 * However it ends, what was said is kept.
 */
export const makeReply = async function* (
  { messages }: Conversation,
  message: UIMessage,
  { model, signal }: ReplyOptions,
): AsyncGenerator<UIMessageChunk> {
  addMessage(messages, message)
  const { stream } = streamText({
    model,
    messages: await convertToModelMessages(messages),
    abortSignal: signal,
    maxOutputTokens,
    // It is thrown below, and logged by who catches it.
    onError: () => {},
  })
  let failure: { readonly error: unknown } | undefined
  const chunks = toUIMessageStream({
    stream,
    originalMessages: messages,
    generateMessageId: generateId,
    onError: (error) => {
      // It is called once more, with what it has made of the first.
      failure ??= { error }
      return ""
    },
    onEnd: ({ responseMessage }) => {
      // Stopped before its first word it has nothing that could be shown to the model later.
      if (responseMessage.parts.some((part) => part.type === "text")) messages.push(responseMessage)
    },
  })
  for await (const chunk of chunks) {
    if (chunk.type === "error") throw failure?.error
    yield chunk
  }
}
