/** Everything that answers are made of, whatever the host. */
import { setupFindings } from "@sojourn/core/host"
import type { Inspection } from "@sojourn/core/inspect"
import { Actions, type OnAction } from "../actions/Actions.ts"
import { Pins } from "../actions/Pins.ts"
import { History, processHistory } from "../history/History.ts"
import { Channels, mostViewers } from "../live/Channels.ts"
import { EventLog } from "../live/EventLog.ts"
import { Registries } from "../live/Registries.ts"
import { type Cursor, Growing, Listed, type LivePart, type Told, Whole } from "../live/sections.ts"
import type { Viewer } from "../live/Viewer.ts"
import { Warned } from "../live/Warned.ts"
import { type Named, Names, type Show } from "../names/Names.ts"
import type { StreamAsked } from "../protocol/decode.ts"
import { actionNames, bounds, type Role, type Section, sections, usualSeries } from "../protocol/words.ts"
import type { RowContext } from "../rows/context.ts"
import { sessionDetail } from "../rows/detail.ts"
import { kindRow } from "../rows/kindRow.ts"
import { Refusal } from "../safety/Refusal.ts"
import { cleaned } from "../safety/text.ts"
import type { About } from "../protocol/about.ts"
import { Recorder } from "../recording/Recorder.ts"
import { sessionsWindow } from "../windows/sessionsWindow.ts"
import { tasksWindow } from "../windows/tasksWindow.ts"
import type { Window } from "../windows/window.ts"
import { LookCache } from "./LookCache.ts"
import { heatmapOnWire, seriesOnWire } from "./past.ts"

export class Inspector {
  readonly registries: Registries
  readonly names: Names
  readonly warned: Warned
  readonly events: EventLog
  readonly actions: Actions
  readonly context: RowContext
  readonly looks: LookCache = new LookCache()
  readonly #pins = new Pins()
  readonly #channels: Channels
  readonly #history: History
  readonly #held: Disposable
  readonly #recorder: Recorder
  #recording: Disposable | undefined
  #unwatchWarnings: (() => void) | undefined
  #snapshot = 0

  constructor(sessions: ConstructorParameters<typeof Registries>[0], show: Show | undefined) {
    this.registries = new Registries(sessions)
    this.names = new Names(show, () => this.size)
    this.warned = new Warned(this.registries)
    this.events = new EventLog(this.registries)
    this.#history = sessions === undefined ? processHistory() : new History({ sessions })
    this.#held = this.#history.hold()
    this.context = {
      names: this.names,
      warnings: this.warned,
      isPinned: (kind, key) => this.#pins.has(kind, key),
    }
    this.#recorder = new Recorder({ sessions, history: this.#history })
    this.#channels = new Channels(this.nextSnapshot, () => this.names.forget())
    this.actions = new Actions({
      registries: this.registries,
      names: this.names,
      warned: this.warned,
      context: this.context,
      pins: this.#pins,
      recording: { turn: (on) => this.#record(on) },
    })
  }
  readonly nextSnapshot = (): number => ++this.#snapshot

  /** Sessions of all registries. */
  get size(): number {
    return this.registries.all().reduce((sum, { size }) => sum + size, 0)
  }

  dispose(): void {
    this.#record(false)
    this.#channels.dispose()
    this.events.dispose()
    this.#pins.dispose()
    this.warned.dispose()
    this.#held[Symbol.dispose]()
  }

  about(role: Role): unknown {
    return {
      role,
      versions: {
        node: typeof process === "object" ? (process.versions.node ?? "") : "",
        platform: typeof process === "object" ? `${process.platform} ${process.arch}` : "",
      },
      uptimeMs: Math.round(performance.now()),
      sections,
      actions: role === "operate" ? actionNames : [],
      shows: this.names.shows,
      limits: { rows: bounds.limit, viewers: mostViewers, everyMs: bounds.every.least },
      viewers: this.#channels.viewers,
      recording: this.#recordingState,
      setup: setupFindings()
        .slice(0, bounds.list)
        .map(({ advice, code, docs, evidence }) => ({
          code,
          evidence: cleaned(evidence, bounds.text),
          advice: cleaned(advice, bounds.text),
          docs,
        })),
    }
  }
  kinds(): ReadonlyArray<ReturnType<typeof kindRow>> {
    return this.registries.all().map((inspection) => this.kindOf(inspection))
  }
  kindOf(inspection: Inspection): ReturnType<typeof kindRow> {
    return kindRow(inspection, this.warned.countOfKind(inspection.name))
  }
  registry(kind: string): Inspection {
    const inspection = this.registries.find(kind)
    if (inspection === undefined) throw new Refusal("not-found", { detail: "There is no such registry." })
    return inspection
  }
  async session(
    kind: string,
    hash: string,
  ): Promise<{ readonly inspection: Inspection; readonly named: Named }> {
    const inspection = this.registry(kind)
    const named = /^[0-9a-f]{16}$/.test(hash) ? await this.names.find(inspection, hash) : undefined
    if (named === undefined) throw new Refusal("not-found", { detail: "There is no such session." })
    return { inspection, named }
  }
  /** What has been recorded, as a file. */
  recording(lastMs: number | undefined): ReadableStream<Uint8Array> {
    if (this.#recording === undefined)
      throw new Refusal("not-possible", {
        detail: "Nothing is recorded. The action startRecording begins it.",
      })
    return this.#recorder.recording(lastMs).stream()
  }
  #record(on: boolean): boolean {
    const before = this.#recording !== undefined
    if (on && !before) {
      this.#recording = this.#recorder.on()
      this.#unwatchWarnings = this.warned.watch(({ at, warning, what }) =>
        this.#recorder.warning({
          at,
          id: warning.id,
          active: what === "raised",
          kind: warning.kind,
          key: warning.session?.key,
          task: warning.task?.id,
          evidence: warning.evidence,
        }),
      )
    }
    if (!on) {
      this.#unwatchWarnings?.()
      this.#recording?.[Symbol.dispose]()
      this.#recording = this.#unwatchWarnings = undefined
    }
    return before
  }
  get #recordingState(): About["recording"] {
    const { bytes, from, lines, on } = this.#recorder.state
    return { on, lines, size: bytes, ...(from !== undefined && { from }) }
  }

  series(query: Parameters<typeof seriesOnWire>[1]): unknown {
    return seriesOnWire(this.#history, query)
  }
  heatmap(query: Parameters<typeof heatmapOnWire>[1]): unknown {
    return heatmapOnWire(this.#history, query)
  }

  /** A view, live. `search`: what was asked for, word for word. */
  async watch(
    { sessions, stream, tasks }: StreamAsked,
    lastEventId: string | undefined,
    once = false,
  ): Promise<Viewer> {
    const asked = { sessions, stream, tasks }
    const views = [...new Set(stream.view.split(","))]
    const wrong = views.find((view) => !(sections as ReadonlyArray<string>).includes(view))
    if (wrong !== undefined) throw new Refusal("bad-request", { detail: `There is no view "${wrong}".` })
    if (views.includes("sessions") && views.includes("tasks"))
      throw new Refusal("bad-request", { detail: "One stream has rows of one sort: sessions or tasks." })
    const slash = stream.of?.lastIndexOf("/") ?? -1
    const of =
      stream.of === undefined
        ? undefined
        : await this.session(stream.of.slice(0, slash), stream.of.slice(slash + 1))
    if (views.includes("session") && of === undefined)
      throw new Refusal("bad-request", { detail: "Which session is said with `of`." })
    const make = (): ReadonlyArray<LivePart> => views.map((view) => this.#part(view as Section, asked, of))
    const everyMs = stream.everyMs ?? bounds.every.usual
    const release = views.includes("events") ? this.#watchEvents(once) : () => {}
    try {
      return this.#channels.view(
        JSON.stringify([views.toSorted(), asked]),
        everyMs,
        lastEventId,
        make,
        release,
      )
    } catch (error) {
      release()
      throw error
    }
  }

  #watchEvents(once: boolean): () => void {
    if (!once) return this.events.hold()
    this.events.linger()
    return () => {}
  }
  #part(
    view: Section,
    { sessions, stream, tasks }: StreamAsked,
    of: { readonly inspection: Inspection; readonly named: Named } | undefined,
  ): LivePart {
    switch (view) {
      case "overview":
        return new Listed("overview", "kinds", () => ({
          rows: this.kinds().map((kind) => [kind.kind ?? "", kind] as const),
          fields: {},
        }))
      case "sessions":
        return new Listed("sessions", "rows", () =>
          asRows(sessionsWindow(this.registries.all(), sessions, this.context)),
        )
      case "tasks":
        return new Listed("tasks", "rows", () =>
          asRows(tasksWindow(this.registries.all(), tasks, this.context)),
        )
      case "session":
        return new Whole("session", () => {
          const inspection = of === undefined ? undefined : this.registries.find(of.inspection.name)
          return of === undefined || inspection === undefined
            ? undefined
            : sessionDetail(inspection, of.named, this.context)
        })
      case "warnings":
        return new Whole("warnings", () => this.warned.active(this.names))
      case "events": {
        const kind = sessions.kind ?? tasks.kind
        const filter = { kind, session: stream.of === undefined ? undefined : [stream.of] }
        return new Growing("events", (since): Told => {
          const { dropped, events, last } = this.events.take(since.event, bounds.events, filter, this.names)
          return {
            json: events.length === 0 ? undefined : JSON.stringify(events),
            event: last,
            dropped: since.seq < 0 ? 0 : dropped,
          }
        })
      }
      case "series": {
        const kinds = sessions.kind ?? tasks.kind
        const names = stream.series?.split(",") ?? usualSeries
        return new Growing("series", (since) => this.#past(since, names, kinds))
      }
    }
  }
  /** The points that are new; at the beginning those of the last minute. */
  #past({ past }: Cursor, names: ReadonlyArray<string>, kinds: ReadonlyArray<string> | undefined): Told {
    const newest = this.#history.kinds().reduce((to, kind) => Math.max(to, kind.to), 0)
    if (newest === 0 || newest <= past) return {}
    const from = past === 0 || newest - past > 60_000 ? newest - 60_000 : past
    const series = this.#history.series({ from, to: newest, step: 1000, points: bounds.points, names, kinds })
    return { json: JSON.stringify(series), past: newest }
  }
}

const asRows = <Row extends { readonly row: string | undefined }, Facets>(
  window: Window<Row, Facets>,
): { readonly rows: ReadonlyArray<readonly [string, Row]>; readonly fields: Record<string, unknown> } => ({
  rows: window.rows.map((row) => [row.row ?? "", row] as const),
  fields: {
    total: window.total,
    offset: window.offset,
    unsearched: window.unsearched,
    facets: window.facets,
  },
})
export type { OnAction }
