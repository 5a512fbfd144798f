import { bounds } from "../protocol/words.ts"
import { Refusal } from "./Refusal.ts"

/** Of what came, at most so many bytes. */
export const readJson = async (chunks: AsyncIterable<Uint8Array>): Promise<unknown> => {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  const decoded = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
    } catch {
      throw new Refusal("bad-request", { detail: "The body is no UTF-8." })
    }
  }
  let text = ""
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.byteLength
    if (size > bounds.body) throw new Refusal("too-large")
    text += decoded(chunk)
  }
  return parseJson(text + decoded())
}

export const parseJson = (text: string): unknown => {
  if (text.length > bounds.body) throw new Refusal("too-large")
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Refusal("bad-request", { detail: "The body is no JSON." })
  }
}

/** `application/json`, whatever its parameters say. */
export const isJson = (type: string | undefined): boolean =>
  type !== undefined && /^application\/json\s*(?:;|$)/i.test(type.trim())
