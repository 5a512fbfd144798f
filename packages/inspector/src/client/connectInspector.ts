import type { Options } from "@sojourn/core"
import type { About } from "../protocol/about.ts"
import type { Action, ActionRecord } from "../protocol/actions.ts"
import type {
  EventRow,
  EventsAnswer,
  HeatmapAnswer,
  HeatmapQuery,
  SeriesAnswer,
  SeriesQuery,
  WarningsAnswer,
} from "../protocol/events.ts"
import type { Attribution, ProfileRequest } from "../protocol/profile.ts"
import type { KindDetail, Overview } from "../protocol/kinds.ts"
import type { SessionDetail, TaskDetail } from "../protocol/sessions.ts"
import type { SessionQuery, SessionWindow, TaskQuery, TaskWindow } from "../protocol/windows.ts"
import type { Section } from "../protocol/words.ts"
import { Asking, type Fetch, type Query } from "./Asking.ts"
import { applyFrame, type View } from "./frames.ts"
import { type Connection, framesOf, type LiveOptions } from "./live.ts"
import type { InspectorError } from "./InspectorError.ts"

export type ConnectOptions = Options<{
  /** Sent with each request, such as an authorization. */
  readonly headers: Readonly<Record<string, string>>
  /** Instead of the global one. */
  readonly fetch: Fetch
}>

/** `everyMs`: the time between frames, 250 to 10 000; 1 000. */
export type WatchOptions = Options<
  SharedOptions & {
    readonly everyMs: number
    readonly sessions: SessionQuery
    readonly tasks: TaskQuery
    /** The session shown by `session`, whose events `events` are. */
    readonly of: { readonly kind: string; readonly hash: string }
    /** Which series to send: names, or the part before the dot for all of a group. */
    readonly series: ReadonlyArray<string>
  }
>
interface SharedOptions {
  readonly signal: AbortSignal
  /** "auto": a stream, or questions where no stream gets through. "poll": questions. */
  readonly transport: "auto" | "poll"
  readonly onConnection: (connection: Connection, error?: InspectorError) => void
}
export type EventsOptions = Options<
  SharedOptions & {
    readonly everyMs: number
    /** Only of these registries. */
    readonly kind: ReadonlyArray<string>
    readonly of: { readonly kind: string; readonly hash: string }
  }
>
type Stamped<T> = T & Pick<Overview, "at" | "snapshot">
type ByHash = { readonly kind: string; readonly hash: string }

/**
 * What an inspector knows, asked over HTTP. Every method rejects with an `InspectorError`, or with the signal's reason. A
 * session is named by its registry and its hash.
 */
export interface InspectorClient {
  readonly about: () => Promise<About>
  readonly overview: () => Promise<Overview>
  readonly kind: (kind: string) => Promise<KindDetail>
  readonly sessions: (query?: SessionQuery) => Promise<Stamped<{ readonly sessions: SessionWindow }>>
  readonly session: (kind: string, hash: string) => Promise<SessionDetail>
  readonly tasks: (query?: TaskQuery) => Promise<Stamped<{ readonly tasks: TaskWindow }>>
  readonly task: (kind: string, id: string) => Promise<TaskDetail>
  readonly warnings: () => Promise<WarningsAnswer>
  readonly series: (query?: SeriesQuery) => Promise<SeriesAnswer["series"]>
  readonly heatmap: (query: HeatmapQuery) => Promise<HeatmapAnswer["heatmap"]>
  /** Those after the one of this number that are kept; 0: all. */
  readonly eventsAfter: (after: number) => Promise<EventsAnswer>
  /** Does something; gives what has come of it after a second at most. `finished` waits for the rest. */
  readonly act: (action: Action) => Promise<ActionRecord>
  readonly action: (id: string) => Promise<ActionRecord>
  /** The last ones, newest first. */
  readonly actions: () => Promise<ReadonlyArray<ActionRecord>>
  /** Whose code the event loop runs, for a while. It needs the role `operate`. */
  readonly attribution: (
    options?: Options<{ readonly forMs: number; readonly limit: number }>,
  ) => Promise<Attribution>
  /** The content of a `.cpuprofile` or `.heapsnapshot` file. It needs the role `operate`. */
  readonly profile: (
    request: Exclude<ProfileRequest, { readonly profile: "attribution" }>,
  ) => Promise<ReadableStream<Uint8Array>>
  /** The content of a `.ndjson.gz` file, where a recording is on. */
  readonly recording: (lastMs?: number) => Promise<ReadableStream<Uint8Array>>
  /** When it is no longer under way. */
  readonly finished: (
    record: ActionRecord,
    options?: Options<{ readonly signal: AbortSignal }>,
  ) => Promise<ActionRecord>
  /** What these sections show, as one view, each time the server has looked. Ends when the signal aborts. */
  readonly watch: (sections: ReadonlyArray<Section>, options?: WatchOptions) => AsyncIterable<View>
  /** What happens, from the last events that are kept on. A gap in `n` was dropped. */
  readonly events: (options?: EventsOptions) => AsyncIterable<EventRow>
  /** The same for one registry. */
  readonly of: (kind: string) => OfKind
}
export interface OfKind {
  readonly explain: (hash: string) => Promise<SessionDetail>
  readonly cancel: (hash: string, task: string) => Promise<ActionRecord>
  readonly restart: (hash: string, finishWithinMs?: number) => Promise<ActionRecord>
  readonly close: (hash: string, finishWithinMs?: number) => Promise<ActionRecord>
  readonly pin: (hash: string, forMs?: number) => Promise<ActionRecord>
  readonly unpin: (hash: string) => Promise<ActionRecord>
  /** At most `expected`, those that are idle for longest first. */
  readonly evictIdle: (expected: number, idleForMs?: number) => Promise<ActionRecord>
  /** `confirm`: the registry's name once more. */
  readonly drain: (confirm: string, finishWithinMs?: number) => Promise<ActionRecord>
}

/** Milliseconds between two looks at an action under way. */
const lookAgain = 500
const underWay: ReadonlySet<ActionRecord["state"]> = new Set([
  "asked",
  "interrupting",
  "restarting",
  "closing",
  "draining",
])

/** `url`: where the inspector is mounted; in a browser it may be relative. Nothing is sent before something is asked. */
export const connectInspector = (url: string | URL, options: ConnectOptions = {}): InspectorClient => {
  const asking = new Asking(
    url,
    options.headers ?? {},
    options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  )
  const act = async (action: Action): Promise<ActionRecord> =>
    (await asking.post<{ readonly record: ActionRecord }>("act", action)).record
  const action = async (id: string): Promise<ActionRecord> =>
    (await asking.get<{ readonly record: ActionRecord }>("action", [id])).record
  const session = async (kind: string, hash: string): Promise<SessionDetail> =>
    (await asking.get<{ readonly session: SessionDetail }>("session", [kind, hash])).session
  const watch = (sections: ReadonlyArray<Section>, given: WatchOptions = {}): AsyncIterable<View> =>
    viewsOf(asking, queryOf(sections, given), given.everyMs ?? 1000, liveOptions(given))
  return {
    about: () => asking.get("about"),
    overview: () => asking.get("overview"),
    kind: (kind) => asking.get("kind", [kind]),
    sessions: (query = {}) => asking.get("sessions", [], query),
    session,
    tasks: (query = {}) => asking.get("tasks", [], query),
    task: async (kind, id) => (await asking.get<{ readonly task: TaskDetail }>("task", [kind, id])).task,
    warnings: () => asking.get("warnings"),
    series: async (query = {}) => (await asking.get<SeriesAnswer>("series", [], query)).series,
    heatmap: async (query) => (await asking.get<HeatmapAnswer>("heatmap", [], query)).heatmap,
    eventsAfter: (after) => asking.get("events", [], { after }),
    act,
    action,
    actions: async () =>
      (await asking.get<{ readonly records: ReadonlyArray<ActionRecord> }>("actions")).records,
    attribution: async ({ forMs, limit } = {}) =>
      (
        await asking.post<{ readonly attribution: Attribution }>("profile", {
          profile: "attribution",
          forMs,
          limit,
        })
      ).attribution,
    profile: (request) => asking.file("profile", {}, request),
    recording: (lastMs) => asking.file("recording", { lastMs }),
    finished: async (record, { signal } = {}) => {
      let now = record
      while (underWay.has(now.state)) {
        await sleep(lookAgain, signal)
        now = await action(now.id)
      }
      return now
    },
    watch,
    events: (given = {}) => eventsOf(watch, given),
    of: (kind) => ({
      explain: (hash) => session(kind, hash),
      cancel: (hash, task) => act({ action: "cancelTask", kind, hash, task }),
      restart: (hash, ms) => act({ action: "restart", kind, hash, ...within(ms) }),
      close: (hash, ms) => act({ action: "close", kind, hash, ...within(ms) }),
      pin: (hash, forMs) => act({ action: "pin", kind, hash, ...(forMs !== undefined && { forMs }) }),
      unpin: (hash) => act({ action: "unpin", kind, hash }),
      evictIdle: (expected, idleForMs) =>
        act({ action: "evictIdle", kind, expected, ...(idleForMs !== undefined && { idleForMs }) }),
      drain: (confirm, ms) => act({ action: "drain", kind, confirm, ...within(ms) }),
    }),
  }
}
const within = (ms: number | undefined): { readonly finishWithinMs?: number } =>
  ms === undefined ? {} : { finishWithinMs: ms }

const liveOptions = ({ onConnection, signal, transport }: Options<SharedOptions>): LiveOptions => ({
  onConnection,
  signal,
  transport,
})

const queryOf = (sections: ReadonlyArray<Section>, given: WatchOptions): Query => ({
  ...(sections.includes("sessions") ? given.sessions : given.tasks),
  view: sections.join(","),
  everyMs: given.everyMs,
  of: given.of === undefined ? undefined : named(given.of),
  series: given.series?.join(","),
})
const named = ({ hash, kind }: ByHash): string => `${kind}/${hash}`

async function* viewsOf(
  asking: Asking,
  query: Query,
  everyMs: number,
  options: LiveOptions,
): AsyncGenerator<View> {
  let view: View | undefined
  for await (const frame of framesOf(asking, query, everyMs, options)) {
    view = applyFrame(view, frame)
    yield view
  }
}

async function* eventsOf(
  watch: InspectorClient["watch"],
  { kind, ...given }: EventsOptions,
): AsyncGenerator<EventRow> {
  let last = 0
  let life = ""
  const views = watch(["events"], { ...given, ...(kind !== undefined && { tasks: { kind } }) })
  for await (const { events, run } of views) {
    if (run !== life) last = 0
    life = run
    for (const event of events) {
      // After a gap of which nothing is known it begins with what was told before.
      if (event.n <= last) continue
      last = event.n
      yield event
    }
  }
}

const sleep = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error)
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort)
      resolve()
    }, ms)
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    signal?.addEventListener("abort", abort, { once: true })
  })
