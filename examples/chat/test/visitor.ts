/** A browser as far as these tests need one, with the AI SDK's own client in it: what `useChat` is without React. */
import { AbstractChat, DefaultChatTransport, type ChatState, type ChatStatus, type UIMessage } from "ai"

export class Visitor {
  readonly url: string
  readonly #cookie: string | undefined
  readonly #headers: Readonly<Record<string, string>>
  constructor(url: string, cookie?: string) {
    this.url = url
    this.#cookie = cookie
    this.#headers = cookie === undefined ? {} : { cookie }
  }
  /** Visits the page, which brings the cookie. */
  static async at(url: string): Promise<Visitor> {
    const [cookie] = (await fetch(url)).headers.getSetCookie()
    if (cookie === undefined) throw new Error("the page brings no cookie")
    return new Visitor(url, cookie.split(";", 1)[0])
  }
  /** The same one, after the server has moved. */
  now(url: string): Visitor {
    return new Visitor(url, this.#cookie)
  }
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, { ...init, headers: { ...this.#headers, ...(init.headers as object) } })
  }
  async stop(chat: string, reply?: string): Promise<unknown> {
    return (await this.#send(`/chats/${chat}/stop`, { reply })).json()
  }
  async history(chat: string): Promise<ReadonlyArray<UIMessage>> {
    return (await (await this.fetch(`/chats/${chat}`)).json()) as ReadonlyArray<UIMessage>
  }
  /** What is sent as it is, however wrong. */
  post(chat: string, message: unknown): Promise<Response> {
    return this.#send(`/chats/${chat}`, { message })
  }
  #send(path: string, body: object): Promise<Response> {
    return this.fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })
  }
  chat(id: string): SdkChat {
    return new SdkChat(id, this)
  }
}

export const said = (text: string, id: string = crypto.randomUUID()): UIMessage => ({
  id,
  role: "user",
  parts: [{ type: "text", text }],
})
export const lines = (messages: ReadonlyArray<UIMessage>): ReadonlyArray<string> =>
  messages.map(
    ({ role, parts }) =>
      `${role}: ${parts
        .map((part) => (part.type === "text" ? part.text : ""))
        .join("")
        .trim()}`,
  )

/** The state a user interface would show, and who waits for it to change. */
class State implements ChatState<UIMessage> {
  #status: ChatStatus = "ready"
  #error: Error | undefined
  #messages: Array<UIMessage> = []
  readonly watchers = new Set<() => void>()

  get status(): ChatStatus {
    return this.#status
  }
  set status(status: ChatStatus) {
    this.#status = status
    this.#changed()
  }
  get error(): Error | undefined {
    return this.#error
  }
  set error(error: Error | undefined) {
    this.#error = error
    this.#changed()
  }
  get messages(): Array<UIMessage> {
    return this.#messages
  }
  set messages(messages: Array<UIMessage>) {
    this.#messages = messages
    this.#changed()
  }
  readonly pushMessage = (message: UIMessage): void => {
    this.messages = [...this.#messages, message]
  }
  readonly popMessage = (): void => {
    this.messages = this.#messages.slice(0, -1)
  }
  readonly replaceMessage = (index: number, message: UIMessage): void => {
    this.messages = this.#messages.with(index, structuredClone(message))
  }
  readonly snapshot = <T>(thing: T): T => structuredClone(thing)
  #changed(): void {
    for (const look of this.watchers) look()
  }
}

export class SdkChat extends AbstractChat<UIMessage> {
  /** How each response ended. */
  readonly ends: Array<"finished" | "failed">
  readonly #state: State

  constructor(id: string, visitor: Visitor) {
    const state = new State()
    const ends: SdkChat["ends"] = []
    super({
      id,
      state,
      transport: new DefaultChatTransport({
        api: "/chats",
        fetch: (path, init) => visitor.fetch(path as string, init),
        prepareSendMessagesRequest: ({ api, messages }) => ({
          api: `${api}/${id}`,
          body: { message: messages.at(-1) },
        }),
      }),
      onFinish: ({ isError }) => void ends.push(isError ? "failed" : "finished"),
    })
    this.#state = state
    this.ends = ends
  }
  get shown(): ReadonlyArray<string> {
    return lines(this.messages)
  }
  /** Resolves once this is shown as the last message. */
  shows(line: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.shown.at(-1) !== line) return
        this.#state.watchers.delete(look)
        resolve()
      }
      this.#state.watchers.add(look)
      look()
    })
  }
}
