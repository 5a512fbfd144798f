/** What a client may say. */
import { safeValidateUIMessages, type UIMessage } from "ai"

/** Characters of one message. */
const maxText = 8000
/** Characters of a conversation as JSON; a state that is saved may be a mebibyte, counted generously. */
const maxConversation = 200_000

/** The client's mistake; the message may be shown. */
export class BadMessage extends Error {
  override readonly name = "BadMessage"
  readonly status: 400 | 413
  constructor(status: 400 | 413, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * A message of the user, with nothing but text. Any other role would let the client speak for the model or instruct it, and
 * a file is an address that this server would fetch.
 *
 * @throws BadMessage
 */
export const userMessage = async (given: unknown): Promise<UIMessage> => {
  const checked = await safeValidateUIMessages({ messages: [given] })
  const message = checked.success ? checked.data[0] : undefined
  if (message?.role !== "user") throw new BadMessage(400, "That is not a message of yours.")
  const texts = message.parts.flatMap((part) => (part.type === "text" ? [part.text] : []))
  if (texts.length !== message.parts.length) throw new BadMessage(400, "Only text can be sent here.")
  if (message.id === "" || message.id.length > 100) throw new BadMessage(400, "The message has no usable id.")
  const text = texts.join("").trim()
  if (text === "") throw new BadMessage(400, "Say something.")
  if (text.length > maxText) throw new BadMessage(413, `A message has ${maxText} characters at most.`)
  return { id: message.id, role: "user", parts: [{ type: "text", text }] }
}

/**
 * The message joins the conversation. One that is there already is answered anew, and what came after it is gone: that is
 * how a client asks again.
 *
 * @throws BadMessage
 */
export const addMessage = (messages: Array<UIMessage>, message: UIMessage): void => {
  const known = messages.findIndex(({ id }) => id === message.id)
  if (known !== -1) messages.splice(known)
  if (JSON.stringify(messages).length > maxConversation)
    throw new BadMessage(413, "This conversation is full. Begin a new one.")
  messages.push(message)
}
