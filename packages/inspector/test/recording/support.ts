import type { Recording } from "../../src/recording/Recorder.ts"
import { type ReadLimits, readRecording } from "../../src/recording/readRecording.ts"
import type { Recorded, RecordedEvent, RecordedSample, RecordingHeader } from "../../src/recording/format.ts"

export const streamOf = (...chunks: ReadonlyArray<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })

export interface Read {
  readonly header: RecordingHeader
  readonly lines: ReadonlyArray<Recorded>
  readonly events: ReadonlyArray<RecordedEvent>
  readonly samples: ReadonlyArray<RecordedSample>
}
export const readAll = async (stream: ReadableStream<Uint8Array>, limits?: ReadLimits): Promise<Read> => {
  let header: RecordingHeader | undefined
  const lines: Array<Recorded> = []
  for await (const line of readRecording(stream, limits)) {
    if (line.type === "header") header = line
    else lines.push(line)
  }
  if (header === undefined) throw new Error("No header.")
  return {
    header,
    lines,
    events: lines.filter((line) => line.type === "event"),
    samples: lines.filter((line) => line.type === "sample"),
  }
}
export const played = (recording: Recording): Promise<Read> => readAll(recording.stream())

/** Until all events have been told, and put down. */
export const toldAll = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
