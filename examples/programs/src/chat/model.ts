/**
 * No model can be reached in CI, so this is the one the `ai` package offers for tests: a real implementation of its
 * model interface, in process, with a simulated stream. It says how many messages of the user it was shown, and repeats the
 * last one word by word. In its place goes any other model: `const model = openai("...")`.
 */
import { simulateReadableStream } from "ai"
import { MockLanguageModelV4 } from "ai/test"
import { wordDelay } from "../settings.ts"

export const model = new MockLanguageModelV4({
  doStream: async ({ prompt }) => {
    const said = prompt.filter((message) => message.role === "user")
    const last = said.at(-1)?.content.find((part) => part.type === "text")?.text ?? ""
    const words = [`${said.length}:`, ...last.split(" ")]
    return {
      stream: simulateReadableStream({
        chunkDelayInMs: wordDelay,
        chunks: [
          { type: "stream-start", warnings: [] },
          { type: "text-start", id: "text" },
          ...words.map((word) => ({ type: "text-delta", id: "text", delta: `${word} ` }) as const),
          { type: "text-end", id: "text" },
          {
            type: "finish",
            finishReason: { unified: "stop", raw: undefined },
            usage: {
              inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
              outputTokens: { total: words.length, text: words.length, reasoning: 0 },
            },
          },
        ],
      }),
    }
  },
})
