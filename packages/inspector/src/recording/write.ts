/** Writing a recording: piece by piece, compressed by Node in threads of its own, never all of it at once. */
import type { RecordingEnd, RecordingHeader } from "./format.ts"
import type { Part } from "./Lines.ts"

const utf8 = new TextEncoder()
const lineOf = (line: RecordingHeader | RecordingEnd): Uint8Array<ArrayBuffer> =>
  utf8.encode(`${JSON.stringify(line)}\n`)

const pieces = function* (
  header: RecordingHeader,
  parts: ReadonlyArray<Part>,
): Generator<Uint8Array<ArrayBuffer>> {
  yield lineOf(header)
  let lines = 0
  for (const part of parts) {
    lines += part.lines
    yield part.bytes
  }
  yield lineOf({ type: "end", at: header.to, lines })
}

export const zipped = (
  header: RecordingHeader,
  parts: ReadonlyArray<Part>,
): ReadableStream<Uint8Array<ArrayBuffer>> => {
  const all = pieces(header, parts)
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: (controller) => {
        const next = all.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
    },
    { highWaterMark: 0 },
  ).pipeThrough(new CompressionStream("gzip"))
}

export const bytesOf = async (
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Array<Uint8Array<ArrayBuffer>> = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
  }
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
