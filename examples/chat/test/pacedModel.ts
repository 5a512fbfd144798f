/** A model that says what the test tells it to, when it tells it to: no test depends on how fast words come. */
import { MockLanguageModelV4 } from "ai/test"

type DoStream = MockLanguageModelV4["doStream"]
type Part = Awaited<ReturnType<DoStream>>["stream"] extends ReadableStream<infer P> ? P : never
type Asked = Parameters<DoStream>[0]

/** One answer in the making. */
export class Talk {
  /** What of the conversation the model was shown: `user: hello`. */
  readonly shown: ReadonlyArray<string>
  /** Told to stop. */
  readonly stopped: Promise<void>
  readonly stream: ReadableStream<Part>
  #controller: ReadableStreamDefaultController<Part> | undefined

  constructor({ prompt, abortSignal }: Asked) {
    this.shown = prompt.map(
      ({ role, content }) =>
        `${role}: ${typeof content === "string" ? content : content.map((part) => (part.type === "text" ? part.text : part.type)).join("")}`,
    )
    this.stopped = new Promise((resolve) => abortSignal?.addEventListener("abort", () => resolve()))
    this.stream = new ReadableStream<Part>({
      start: (controller) => {
        this.#controller = controller
        controller.enqueue({ type: "stream-start", warnings: [] })
      },
    })
  }
  #spoken = false
  say(...words: ReadonlyArray<string>): void {
    if (!this.#spoken) this.#controller?.enqueue({ type: "text-start", id: "text" })
    this.#spoken = true
    for (const word of words) this.#controller?.enqueue({ type: "text-delta", id: "text", delta: `${word} ` })
  }
  end(): void {
    if (this.#spoken) this.#controller?.enqueue({ type: "text-end", id: "text" })
    this.#controller?.enqueue({
      type: "finish",
      finishReason: { unified: "stop", raw: undefined },
      usage: {
        inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 0, text: 0, reasoning: 0 },
      },
    })
    this.#controller?.close()
  }
  /** Its stream breaks. */
  fail(error: Error): void {
    this.#controller?.error(error)
  }
}

export const pacedModel = () => {
  const talks: Array<Talk> = []
  const waiting: Array<(talk: Talk) => void> = []
  /** Instead of the next answer. */
  let refusal: Error | undefined
  const model = new MockLanguageModelV4({
    doStream: async (asked) => {
      const error = refusal
      refusal = undefined
      if (error !== undefined) throw error
      const talk = new Talk(asked)
      const first = waiting.shift()
      if (first === undefined) talks.push(talk)
      else first(talk)
      return { stream: talk.stream }
    },
  })
  return {
    model,
    /** The next answer the model is asked for. */
    asked: (): Promise<Talk> => {
      const talk = talks.shift()
      return talk === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(talk)
    },
    refuse: (error: Error): void => void (refusal = error),
  }
}
