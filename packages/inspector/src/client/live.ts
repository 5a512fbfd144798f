/** A live view that is kept: by a stream, which is begun again where it was; or by asking, where no stream gets through. */
import type { Frame, Snapshot } from "../protocol/stream.ts"
import { type Asking, type Query, versionOf } from "./Asking.ts"
import { InspectorError } from "./InspectorError.ts"
import { serverEvents } from "./sse.ts"

/** `live`: frames come by themselves. `polling`: they are asked for. `reconnecting`: neither, at the moment. */
export type Connection = "live" | "polling" | "reconnecting"

export interface LiveOptions {
  readonly signal?: AbortSignal | undefined
  /** "stream" unless it does not get through; then, and with "poll", one question for each frame. */
  readonly transport?: "auto" | "poll" | undefined
  readonly onConnection?: ((connection: Connection, error?: InspectorError) => void) | undefined
}

/** Milliseconds without anything, after which a stream is taken for one that something on the way holds back. */
const silence = 15_000
const firstDelay = 500
const longestDelay = 10_000

/** Until the signal aborts, or something is wrong that will not pass. */
export async function* framesOf(
  asking: Asking,
  query: Query,
  everyMs: number,
  { onConnection, signal, transport = "auto" }: LiveOptions,
): AsyncGenerator<Frame> {
  let last: string | undefined
  let failures = 0
  let polls = transport === "poll"
  while (!isAborted(signal)) {
    try {
      if (polls) {
        const { id, ...frame }: Snapshot = await asking.get("snapshot", [], { ...query, after: last }, signal)
        last = id
        failures = 0
        onConnection?.("polling")
        yield frame
        await pause(everyMs, signal)
        continue
      }
      for await (const { frame, id } of streamed(asking, query, last, everyMs, signal)) {
        last = id
        if (failures >= 0) onConnection?.("live")
        failures = -1
        yield frame
      }
      // It ended in good order: the server asks anew who is there.
      failures = 0
    } catch (error) {
      if (isAborted(signal)) return
      if (!(error instanceof InspectorError)) throw error
      if (error === heldBack) polls = transport === "auto"
      else if (!error.passing) throw error
      failures = Math.max(1, failures + 1)
      onConnection?.("reconnecting", error)
    }
    if (!polls || failures > 0) await pause(delayAfter(failures), signal)
  }
}

const delayAfter = (failures: number): number =>
  failures === 0 ? 0 : Math.min(longestDelay, firstDelay * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)

const heldBack = new InspectorError("unreachable", "Something on the way holds the stream back.")

async function* streamed(
  asking: Asking,
  query: Query,
  last: string | undefined,
  everyMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly frame: Frame; readonly id: string | undefined }> {
  const own = new AbortController()
  const abort = (): void => own.abort(signal?.reason)
  signal?.addEventListener("abort", abort, { once: true })
  let timer: ReturnType<typeof setTimeout> | undefined
  let begun = false
  const watch = (): void => {
    clearTimeout(timer)
    timer = setTimeout(
      () => own.abort(begun ? new InspectorError("unreachable", "The stream has fallen silent.") : heldBack),
      silence + everyMs,
    )
  }
  try {
    watch()
    const response = await asking.send(asking.address("stream", [], query), {
      headers: last === undefined ? {} : { "last-event-id": last },
      signal: own.signal,
    })
    const type = response.headers.get("content-type") ?? ""
    if (response.body === null || !type.startsWith("text/event-stream"))
      throw new InspectorError("not-inspector", "What answers there is no inspector.")
    for await (const { data, id } of serverEvents(response.body)) {
      begun = true
      const frame = JSON.parse(data) as Frame
      versionOf(frame)
      clearTimeout(timer)
      yield { frame, id }
      watch()
    }
  } catch (error) {
    if (own.signal.aborted && !isAborted(signal)) throw own.signal.reason
    if (error instanceof InspectorError || isAborted(signal)) throw error
    throw new InspectorError("unreachable", "The stream broke off.", { cause: error })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", abort)
    own.abort()
  }
}

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (isAborted(signal)) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener("abort", done, { once: true })
  })

// Asked each time: it may have aborted since.
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true
