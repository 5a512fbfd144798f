/** The session: one conversation. It is kept in memory while it is used, put away when it is idle, and comes back as it was. */
import { createSessions, type SessionStore, type Time } from "@sojourn/core"
import { validateUIMessages, type UIMessage } from "ai"

export interface Conversation {
  readonly messages: Array<UIMessage>
}

export interface ChatsOptions {
  readonly idleTimeout?: Time | undefined
  /** In memory, if there is none. */
  readonly store?: SessionStore | undefined
}

export const createChats = ({ idleTimeout = "30 minutes", store }: ChatsOptions = {}) =>
  createSessions({
    name: "chat",
    open: async ({ restored, save }): Promise<Conversation> => {
      const messages = await messagesIn(restored)
      save(() => messages)
      return { messages }
    },
    idleTimeout,
    // Of one visitor; the longest unused is put away for a new one.
    maxPerOwner: 20,
    store,
    // A model that says nothing for so long is given up. The last two are the end of a drain: there is a file to be written.
    timeouts: { silence: "1 minute", grace: "2 seconds", close: "6 seconds" },
  })

export type Chats = ReturnType<typeof createChats>

/** An older release may have written it. What does not pass fails the opening; after the second the registry sets it aside. */
const messagesIn = async (restored: unknown): Promise<Array<UIMessage>> => {
  // The AI SDK takes an empty list for a mistake.
  if (restored === undefined || (Array.isArray(restored) && restored.length === 0)) return []
  return validateUIMessages({ messages: restored })
}
