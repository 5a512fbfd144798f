/**
 * The last minutes of what happened, kept while somebody wants them: events, warnings and the looks of the history. What is
 * kept is what will be written, redacted when it happens: a recorder holds no key, no error and no value.
 */
import type { AnySessions } from "@sojourn/core"
import { watchRegistries } from "@sojourn/core/inspect"
import { type History, type HistoryReading, processHistory } from "../history/History.ts"
import { cleaned } from "../safety/text.ts"
import { eventLine, numbersOf } from "./eventLine.ts"
import {
  type Recorded,
  type RecordedSample,
  type RecordedWarning,
  recordingBounds,
  recordingFormat,
  type RecordingHeader,
} from "./format.ts"
import { Hashes } from "./hashes.ts"
import { Lines, type Part } from "./Lines.ts"
import { versions } from "./versions.ts"
import { bytesOf, zipped } from "./write.ts"

/** Lines between two turns of the event loop; what is more is counted. */
const mostAtOnce = 20_000

export interface RecorderOptions {
  /** Those to listen to. Default: every registry of the process, also those that come later. */
  readonly sessions?: ReadonlyArray<AnySessions> | undefined
  /** Its looks are recorded, and it is held meanwhile. Default: that of the process. */
  readonly history?: History | undefined
  /** Milliseconds that are kept. Default five minutes; at least a second. */
  readonly lastMs?: number | undefined
  /** Of what is kept; the oldest go first. Default 16 MiB; at least 256 KiB. */
  readonly maxBytes?: number | undefined
  /** Epoch milliseconds. */
  readonly now?: (() => number) | undefined
}

/** A warning as who evaluates them knows it. */
export interface WarningNote {
  readonly at: number
  readonly id: string
  readonly active: boolean
  readonly kind?: string | undefined
  /** The canonical key: it is hashed. */
  readonly key?: string | undefined
  readonly task?: string | undefined
  readonly evidence?: Readonly<Record<string, number>> | undefined
}

export interface RecorderState {
  readonly on: boolean
  readonly lines: number
  readonly bytes: number
  /** The time of the oldest line that is kept. */
  readonly from: number | undefined
  readonly left: RecordingHeader["left"]
}

/** A recording that is about to be written. */
export interface Recording {
  readonly header: RecordingHeader
  /** Compressed as it is read; leaving it early is fine. Read it once. */
  readonly stream: () => ReadableStream<Uint8Array<ArrayBuffer>>
  /** All of it, compressed. */
  readonly bytes: () => Promise<Uint8Array<ArrayBuffer>>
}

export class Recorder {
  readonly #sessions: ReadonlyArray<AnySessions> | undefined
  readonly #history: History | undefined
  readonly #lastMs: number
  readonly #now: () => number
  readonly #lines: Lines
  #hashes = new Hashes()
  #holders = 0
  /** Of the registries that are listened to. */
  readonly #ends = new Map<AnySessions, () => void>()
  /** What is told to an earlier run is not for this one. */
  #run = {}
  #ended: Array<() => void> = []
  #pending: Array<{ readonly at: number; readonly text: string }> = []
  #flushing: NodeJS.Immediate | undefined
  #tooMany = 0
  #notTold = 0

  constructor(options: RecorderOptions = {}) {
    this.#sessions = options.sessions
    this.#history = options.history
    this.#lastMs = Math.max(1000, options.lastMs ?? 300_000)
    this.#now = options.now ?? Date.now
    this.#lines = new Lines(Math.max(256 * 1024, options.maxBytes ?? 16 * 1024 * 1024))
  }

  /**
   * Records until what this returns is disposed; with nobody left, what was recorded is let go. While it is on, each event
   * costs about two microseconds; a warm turn has two of them.
   */
  on(): Disposable {
    if (this.#holders++ === 0) this.#start()
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        if (--this.#holders === 0) this.#stop()
      },
    }
  }
  /** For who evaluates warnings. While it is off this does nothing. */
  warning(note: WarningNote): void {
    const { active, at, evidence, id, key, kind, task } = note
    if (this.#holders === 0) return
    const line: RecordedWarning = {
      type: "warning",
      at,
      id: cleaned(id, recordingBounds.name),
      active,
      kind: kind === undefined ? undefined : cleaned(kind, recordingBounds.name),
      session: key === undefined ? undefined : this.#hashes.session(key),
      task: task === undefined ? undefined : cleaned(task, recordingBounds.name),
      evidence: evidence === undefined ? undefined : numbersOf(evidence),
    }
    this.#add(line)
  }
  /** What has been recorded up to now. `lastMs`: only of the last so many milliseconds. */
  recording(lastMs: number = this.#lastMs): Recording {
    this.#flush()
    const to = this.#now()
    const asked = to - Math.min(this.#lastMs, Number.isNaN(lastMs) ? this.#lastMs : Math.max(0, lastMs))
    const parts = this.#lines.since(asked)
    const { first } = this.#lines
    const header: RecordingHeader = {
      type: "header",
      sojourn: "recording",
      format: recordingFormat,
      at: to,
      from: first === undefined ? to : Math.max(asked, Math.min(first, to)),
      to,
      process: {
        pid: process.pid,
        platform: process.platform,
        arch: process.arch,
        uptimeMs: Math.round(process.uptime() * 1000),
      },
      versions,
      left: this.#left,
    }
    return made(header, parts)
  }
  get state(): RecorderState {
    return {
      on: this.#holders > 0,
      lines: this.#lines.count + this.#pending.length,
      bytes: this.#lines.bytes,
      from: this.#lines.first,
      left: this.#left,
    }
  }

  get #left(): RecordingHeader["left"] {
    return { overwritten: this.#lines.overwritten, tooMany: this.#tooMany, notTold: this.#notTold }
  }
  #start(): void {
    const history = this.#history ?? processHistory()
    const hold = history.hold()
    const unwatch = history.watch((reading) => this.#look(reading))
    this.#ended = [unwatch, () => hold[Symbol.dispose]()]
    if (this.#sessions === undefined) this.#ended.push(watchRegistries((sessions) => this.#listen(sessions)))
    else for (const sessions of this.#sessions) this.#listen(sessions)
  }
  #stop(): void {
    for (const end of this.#ended.splice(0)) end()
    for (const end of this.#ends.values()) end()
    this.#ends.clear()
    this.#run = {}
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    this.#pending = []
    this.#lines.clear()
    this.#hashes = new Hashes()
    this.#tooMany = this.#notTold = 0
  }
  #listen(sessions: AnySessions): void {
    if (this.#ends.has(sessions)) return
    const kind = cleaned(sessions.name, recordingBounds.name)
    const run = this.#run
    const end = sessions.subscribe((event) => {
      if (run !== this.#run) return
      if (event._tag === "EventsDropped") this.#notTold += event.count
      this.#add(eventLine(kind, event, this.#hashes))
      // What has leaked may still end, so it is listened to; but it is not kept for that.
      if (event._tag === "DrainEnded") this.#ends.delete(sessions)
    })
    this.#ends.set(sessions, end)
  }
  #look({ at, kinds, process: values, seconds }: HistoryReading): void {
    const line: RecordedSample = {
      type: "sample",
      at: this.#now(),
      second: at,
      seconds: short(seconds),
      process: shortened(values),
      kinds: kinds
        .map((one) => ({ kind: cleaned(one.kind, recordingBounds.name), values: shortened(one.values) }))
        .filter((one) => Object.keys(one.values).length > 0),
    }
    this.#add(line)
    this.#flush()
    this.#lines.trim(this.#now() - this.#lastMs)
  }
  #add(line: Recorded): void {
    if (this.#pending.length >= mostAtOnce) {
      this.#tooMany++
      return
    }
    this.#pending.push({ at: line.at, text: textOf(line) })
    // In a turn of the loop of its own all events of what ran before have been told: of all registries, so they can be put in order.
    this.#flushing ??= setImmediate(() => this.#flush()).unref()
  }
  #flush(): void {
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    if (this.#pending.length === 0) return
    const pending = this.#pending.toSorted((one, other) => one.at - other.at)
    this.#pending = []
    for (const { at, text } of pending) this.#lines.add(at, text)
    this.#lines.trim(this.#now() - this.#lastMs)
  }
}

const made = (header: RecordingHeader, parts: ReadonlyArray<Part>): Recording => {
  const stream = (): ReadableStream<Uint8Array<ArrayBuffer>> => zipped(header, parts)
  return { header, stream, bytes: () => bytesOf(stream()) }
}

const short = (value: number): number => Math.round(value * 1000) / 1000
const shortened = (values: Readonly<Record<string, number>>): Record<string, number> => {
  const result: Record<string, number> = {}
  for (const [name, value] of Object.entries(values)) {
    const rounded = short(value)
    if (rounded !== 0) result[name] = rounded
  }
  return result
}

/** Bytes a line may take, for characters that take one: names are cut, so others are few. */
const room = recordingBounds.line / 2
const textOf = (line: Recorded): string => {
  const text = JSON.stringify(line)
  if (text.length <= room || line.type !== "sample") return text
  const kinds: Array<RecordedSample["kinds"][number]> = []
  let used = 1000
  for (const kind of line.kinds) {
    used += JSON.stringify(kind).length + 1
    if (used > room) break
    kinds.push(kind)
  }
  return JSON.stringify({ ...line, kinds, more: line.kinds.length - kinds.length })
}
