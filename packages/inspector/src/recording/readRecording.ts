/**
 * Reading a recording, in Node or in a browser: it needs nothing but web streams. The file may be anything: what it makes of
 * memory and time is bounded, and what is no recording is refused with a reason.
 */
import { type RecordingHeader, type RecordingLine, recordingBounds } from "./format.ts"
import { BadLine, headerOf, parseHeader, parseLine } from "./parseLine.ts"

/**
 * `NotARecording`: something else. `NewerVersion`: written by a later version of Sojourn than this reader knows.
 * `Truncated`: its end is missing. `Corrupt`: something in it is not as it was written. `TooLarge`: it, or one line of it,
 * is longer than the limits.
 */
export type RecordingUnreadableReason =
  | "NotARecording"
  | "NewerVersion"
  | "Truncated"
  | "Corrupt"
  | "TooLarge"

export class RecordingUnreadable extends Error {
  readonly _tag = "RecordingUnreadable"
  readonly reason: RecordingUnreadableReason
  constructor(reason: RecordingUnreadableReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = "RecordingUnreadable"
    this.reason = reason
  }
}

export interface ReadLimits {
  /** Bytes that it may become when it is unpacked. Default 256 MiB. */
  readonly totalBytes?: number | undefined
  /** Characters of a line. Default 65 536. */
  readonly lineLength?: number | undefined
}

/**
 * The lines of a recording: its header first, then what happened in order of time; its end is checked and not given. Rejects
 * with `RecordingUnreadable` where it is not as it should be: what was given before that is good. Leaving early cancels the
 * stream; when its source fails, it rejects with that error.
 */
export async function* readRecording(
  stream: ReadableStream<Uint8Array>,
  limits: ReadLimits = {},
): AsyncGenerator<Exclude<RecordingLine, { readonly type: "end" }>, void, undefined> {
  let header: RecordingHeader | undefined
  let lines = 0
  let ended = false
  for await (const line of linesOf(stream, limits)) {
    if (header === undefined) {
      header = readHeader(line)
      yield header
      continue
    }
    if (ended) throw new RecordingUnreadable("Corrupt", "There is more after its end.")
    lines++
    const recorded = checked(lines, () => parseLine(parsed(line)))
    if (recorded === undefined) continue
    if (recorded.type !== "end") yield recorded
    else {
      ended = true
      if (recorded.lines !== lines - 1)
        throw new RecordingUnreadable(
          "Corrupt",
          `It should have ${recorded.lines} lines, and has ${lines - 1}.`,
        )
    }
  }
  if (header === undefined) throw new RecordingUnreadable("NotARecording", "It is empty.")
  if (!ended) throw new RecordingUnreadable("Truncated", "Its end is missing.")
}

const readHeader = (line: string): RecordingHeader => {
  let header: ReturnType<typeof headerOf>
  try {
    header = headerOf(parsed(line))
  } catch {
    header = undefined
  }
  if (header === undefined)
    throw new RecordingUnreadable("NotARecording", "It does not begin as a recording does.")
  if (typeof header === "number")
    throw new RecordingUnreadable(
      "NewerVersion",
      `It is of format ${header}, which this version does not know.`,
    )
  const fields = header
  return checked(0, () => parseHeader(fields))
}
const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new BadLine("it is no JSON", { cause: error })
  }
}
const checked = <A>(line: number, read: () => A): A => {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof BadLine)) throw error
    throw new RecordingUnreadable("Corrupt", `Line ${line + 1}: ${error.message}.`, error.cause)
  }
}

async function* linesOf(
  stream: ReadableStream<Uint8Array>,
  limits: ReadLimits,
): AsyncGenerator<string, void> {
  const totalBytes = limits.totalBytes ?? 256 * 1024 * 1024
  const lineLength = limits.lineLength ?? recordingBounds.line
  const decoder = new TextDecoder("utf-8", { fatal: true })
  const decoded = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
    } catch (error) {
      throw new RecordingUnreadable("Corrupt", "It has bytes that are no text.", error)
    }
  }
  let total = 0
  /** The beginning of a line of which the rest is to come. */
  let begun = ""
  const tooLong = (): RecordingUnreadable =>
    new RecordingUnreadable("TooLarge", `A line is longer than ${lineLength} characters.`)
  for await (const bytes of unzipped(stream)) {
    total += bytes.length
    if (total > totalBytes)
      throw new RecordingUnreadable("TooLarge", `Unpacked it is larger than ${totalBytes} bytes.`)
    const text = decoded(bytes)
    let from = 0
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", from)) {
      if (begun.length + at - from > lineLength) throw tooLong()
      yield begun + text.slice(from, at)
      begun = ""
      from = at + 1
    }
    begun += text.slice(from)
    if (begun.length > lineLength) throw tooLong()
  }
  if (decoded() + begun !== "") throw new RecordingUnreadable("Truncated", "Its last line has no end.")
}

/** Both ends of the unpacking are at hand, so that it is known whether it failed for want of more, or over what it was given. */
async function* unzipped(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const unzip = new DecompressionStream("gzip")
  const input = stream.getReader()
  const output = unzip.readable.getReader()
  const writer = unzip.writable.getWriter()
  let given = 0
  let all = false
  let sourceFailed: { readonly error: unknown } | undefined
  const next = async (): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    try {
      const { done, value } = await input.read()
      if (done) return undefined
      if (value instanceof Uint8Array) return new Uint8Array(value)
    } catch (error) {
      sourceFailed = { error }
      throw error
    }
    throw new RecordingUnreadable("NotARecording", "It is no stream of bytes.")
  }
  const fill = async (): Promise<void> => {
    try {
      for (let bytes = await next(); bytes !== undefined; bytes = await next()) {
        if (bytes.length === 0) continue
        checkMagic(bytes, given)
        given += bytes.length
        await writer.write(bytes)
      }
      all = true
      await writer.close()
    } catch (error) {
      // Who reads the other end is told.
      await writer.abort(error).catch(() => {})
    }
  }
  const filling = fill()
  try {
    for (;;) {
      const { done, value } = await output.read()
      if (done) return
      yield value
    }
  } catch (error) {
    if (sourceFailed !== undefined) throw sourceFailed.error
    if (error instanceof RecordingUnreadable) throw error
    throw unpackingFailed(all, given, error)
  } finally {
    await output.cancel().catch(() => {})
    await input.cancel().catch(() => {})
    await filling
  }
}
const checkMagic = (bytes: Uint8Array, before: number): void => {
  const magic = [0x1f, 0x8b]
  for (const [at, expected] of magic.entries()) {
    const found = bytes[at - before]
    if (at >= before && found !== undefined && found !== expected)
      throw new RecordingUnreadable("NotARecording", "It is not compressed as a recording is.")
  }
}
/** Node says what is wrong by a code, browsers at most in words. */
const unpackingFailed = (all: boolean, given: number, error: unknown): RecordingUnreadable => {
  if (given === 0) return new RecordingUnreadable("NotARecording", "It is empty.")
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined
  const cut = typeof code === "string" ? code === "Z_BUF_ERROR" : all
  return cut
    ? new RecordingUnreadable("Truncated", "Its end is missing.", error)
    : new RecordingUnreadable("Corrupt", "It cannot be unpacked.", error)
}
