/** A snapshot of the heap, as developer tools open it. */
import type { Readable } from "node:stream"
import { getHeapSnapshot } from "node:v8"
import { begin } from "./oneAtATime.ts"
import { ProfileRefused } from "./ProfileRefused.ts"

/** Measured on heaps of small objects, which need most: bytes of memory, of the file, and milliseconds, for each byte of heap. */
const memoryPerByte = 16
const filePerByte = 2
const msPerByte = 50 / 1e6
/** Milliseconds without anybody reading, after which it is let go: it is large. */
const patience = 60_000

/** What a snapshot will cost, at most as a rule. Say so before it is taken. */
export interface HeapSnapshotCost {
  readonly heapBytes: number
  /** The event loop stands still for about this long: no turn runs, no request is answered, no timer rings. */
  readonly pauseMs: number
  /** Memory that is needed besides, until the file has been read. */
  readonly memoryBytes: number
  readonly fileBytes: number
  /** What the system has left for this process. */
  readonly availableBytes: number
  readonly fits: boolean
}
export const heapSnapshotCost = (): HeapSnapshotCost => {
  const heapBytes = process.memoryUsage().heapUsed
  const memoryBytes = heapBytes * memoryPerByte
  const availableBytes = process.availableMemory()
  return {
    heapBytes,
    pauseMs: Math.ceil(heapBytes * msPerByte),
    memoryBytes,
    fileBytes: heapBytes * filePerByte,
    availableBytes,
    fits: memoryBytes < availableBytes,
  }
}

export interface HeapSnapshotOptions {
  /** Takes it away. What had been read by then is no snapshot. */
  readonly signal?: AbortSignal | undefined
  /** Also when it may need more memory than there is. Default: false. */
  readonly force?: boolean | undefined
}

/**
 * The content of a `.heapsnapshot` file. It stops the whole process for seconds, needs many times the heap in memory, and holds
 * every text in it: keys, tokens, what users wrote. Give it to nobody who may not see all of these. Until it has been read
 * to its end, or is left, there is no other profile; nobody reading for a minute leaves it.
 *
 * @throws ProfileRefused `Busy`, `LowMemory`
 */
export const heapSnapshot = (options: HeapSnapshotOptions = {}): ReadableStream<Uint8Array> => {
  const { force = false, signal } = options
  signal?.throwIfAborted()
  const cost = heapSnapshotCost()
  if (!force && !cost.fits) {
    const [needed, left] = [cost.memoryBytes, cost.availableBytes].map((bytes) => Math.round(bytes / 1e6))
    throw new ProfileRefused(
      "LowMemory",
      `A snapshot of this heap may need ${needed} MB, and ${left} MB are left. With \`force\` it is taken all the same.`,
    )
  }
  const place = begin("a heap snapshot")
  let source: Readable
  try {
    source = getHeapSnapshot()
  } catch (error) {
    place[Symbol.dispose]()
    throw error
  }
  return served(source, place, signal)
}

const nobody = (): void => {}
const served = (
  source: Readable,
  place: Disposable,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> => {
  const leave = (reason: unknown): void => {
    source.destroy(
      reason instanceof Error ? reason : new Error("The heap snapshot was left.", { cause: reason }),
    )
  }
  const stop = (): void => leave(signal?.reason)
  signal?.addEventListener("abort", stop)
  let patient: NodeJS.Timeout | undefined
  const wait = (): void => {
    clearTimeout(patient)
    patient = setTimeout(() => leave(new Error("Nobody reads the heap snapshot.")), patience).unref()
  }
  source.once("close", () => {
    clearTimeout(patient)
    signal?.removeEventListener("abort", stop)
    place[Symbol.dispose]()
  })
  let told: () => void = nobody
  return new ReadableStream<Uint8Array>(
    {
      // By its events, which give piece by piece what an iterator would first put together.
      start: (controller) => {
        source.pause()
        source.on("data", (piece: Uint8Array) => {
          source.pause()
          controller.enqueue(piece)
          told()
        })
        source.on("end", () => {
          controller.close()
          told()
        })
        source.on("error", (error) => {
          controller.error(error)
          told()
        })
        wait()
      },
      pull: () => {
        wait()
        return new Promise<void>((resolve) => {
          told = resolve
          source.resume()
        })
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  )
}
