/**
 * A recording: gzip of lines of JSON, each ended by a line feed. First a header, last an end; between them what happened, in
 * order of time. This module is shared by who writes and who reads, so it needs neither Node nor Effect.
 */
import type { SessionEvent } from "@sojourn/core"

/** Raised when a reader of the last version would misread what is written now; new optional fields do not raise it. */
export const recordingFormat = 1

/** Characters, and how many of a list, that a line may have; what is written stays within, and what is read has to. */
export const recordingBounds = {
  name: 128,
  /** Of an error. */
  text: 300,
  evidence: 32,
  kinds: 1000,
  /** Series of one kind, and characters of a series' name. */
  series: 256,
  seriesName: 64,
  /** Bytes of one line. */
  line: 65_536,
} as const

/** Times are epoch milliseconds, here and in all lines. */
export interface RecordingHeader {
  readonly type: "header"
  readonly sojourn: "recording"
  readonly format: typeof recordingFormat
  /** When it was written. */
  readonly at: number
  /** What it covers: there is nothing from before `from`, for one of the reasons in `left`, or because nothing was recorded. */
  readonly from: number
  readonly to: number
  readonly process: {
    readonly pid: number
    readonly platform: string
    readonly arch: string
    readonly uptimeMs: number
  }
  readonly versions: {
    readonly node: string
    readonly effect: string
    readonly core: string
    readonly inspector: string
  }
  /** Lines that are not in it although they are of its time, or of the time that was asked for. */
  readonly left: {
    /** The oldest, for want of room. */
    readonly overwritten: number
    /** More came at once than are kept. */
    readonly tooMany: number
    /** Events that a registry did not tell, for its listeners were too slow. Each has a line `EventsDropped` of its own. */
    readonly notTold: number
  }
}

type EventName = SessionEvent["_tag"]
/** One fact of a session's life. Sessions and owners are hashes of their keys. */
export interface RecordedEvent {
  readonly type: "event"
  readonly at: number
  /** The registry's name. */
  readonly kind: string
  /** Its number in its registry; a gap was dropped. */
  readonly seq: number
  readonly what: EventName
  readonly session?: string | undefined
  readonly owner?: string | undefined
  readonly generation?: number | undefined
  readonly serial?: number | undefined
  readonly task?: { readonly id: string; readonly name: string; readonly type: string } | undefined
  readonly outcome?: string | undefined
  /** Why it closed or was refused. */
  readonly reason?: string | undefined
  /** Who said that a generation is lost. */
  readonly by?: string | undefined
  readonly error?: string | undefined
  readonly durationMs?: number | undefined
  readonly waitedMs?: number | undefined
  readonly ranMs?: number | undefined
  readonly until?: number | undefined
  readonly leaked?: boolean | undefined
  readonly lease?: string | undefined
  readonly warning?: string | undefined
  readonly evidence?: Readonly<Record<string, number>> | undefined
  readonly count?: number | undefined
}
/** A warning of the catalogue that became active or ceased to be. */
export interface RecordedWarning {
  readonly type: "warning"
  readonly at: number
  /** Which of the catalogue. */
  readonly id: string
  readonly active: boolean
  readonly kind?: string | undefined
  readonly session?: string | undefined
  readonly task?: string | undefined
  readonly evidence?: Readonly<Record<string, number>> | undefined
}
/** One look of the history. Only what was not 0 and had a value is in it. */
export interface RecordedSample {
  readonly type: "sample"
  /** When it was taken. */
  readonly at: number
  /** The begin of the second it is of, and the seconds since the look before. */
  readonly second: number
  readonly seconds: number
  readonly process: Readonly<Record<string, number>>
  readonly kinds: ReadonlyArray<{ readonly kind: string; readonly values: Readonly<Record<string, number>> }>
  /** Kinds that the line had no room for. */
  readonly more?: number | undefined
}
export interface RecordingEnd {
  readonly type: "end"
  readonly at: number
  /** Between the header and this one. */
  readonly lines: number
}
export type Recorded = RecordedEvent | RecordedWarning | RecordedSample
export type RecordingLine = RecordingHeader | Recorded | RecordingEnd

/** The name of a file for it. */
export const recordingName = (header: Pick<RecordingHeader, "at">): string =>
  `sojourn-${new Date(header.at).toISOString().replaceAll(/[-:]|\.\d+/g, "")}.ndjson.gz`
