/**
 * No model can be reached in CI, so this is the one the `ai` package offers for tests: a real implementation of its model
 * interface, in process, with a simulated stream. It says how many messages of the user it was shown, and repeats the last
 * one word by word; asked to `fail`, it fails in the middle. In its place goes any other: `const model = openai("...")`.
 */
import { simulateReadableStream } from "ai"
import { MockLanguageModelV4 } from "ai/test"

type Part =
  Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"] extends ReadableStream<infer P> ? P : never

/** `wordDelay`: milliseconds between two words. */
export const createModel = (wordDelay: number): MockLanguageModelV4 =>
  new MockLanguageModelV4({
    doStream: async ({ prompt }) => {
      const said = prompt.filter((message) => message.role === "user")
      const last = said.at(-1)?.content.find((part) => part.type === "text")?.text ?? ""
      const words = [`${said.length}:`, ...last.split(" ")]
      const chunks: ReadonlyArray<Part> = [
        { type: "stream-start", warnings: [] },
        { type: "text-start", id: "text" },
        ...words.map((word) => ({ type: "text-delta", id: "text", delta: `${word} ` }) as const),
        ...(last === "fail"
          ? [{ type: "error", error: new Error("The provider is out of order.") } as const]
          : end(words.length)),
      ]
      return { stream: simulateReadableStream({ chunkDelayInMs: wordDelay, chunks: [...chunks] }) }
    },
  })

const end = (words: number): ReadonlyArray<Part> => [
  { type: "text-end", id: "text" },
  {
    type: "finish",
    finishReason: { unified: "stop", raw: undefined },
    usage: {
      inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: words, text: words, reasoning: 0 },
    },
  },
]
