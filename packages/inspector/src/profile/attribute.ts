/**
 * Who uses the event loop. Node 24 keeps async context inside V8, where a sampling profiler cannot see it without native
 * code; so stretches of code are timed, by Node's hooks, only while somebody asks. That is exact where samples would be a
 * guess, and costs about a quarter of a microsecond for each callback and each awaited promise that goes on, in the whole
 * process. Off, it costs nothing.
 */
import { currentRun, hashedKey, type Run, watchRuns } from "@sojourn/core/inspect"
import { AsyncResource, createHook, executionAsyncResource } from "node:async_hooks"
import { performance } from "node:perf_hooks"
import { promiseHooks } from "node:v8"
import { cleaned } from "../safety/text.ts"
import { bounds } from "../protocol/words.ts"
import { checkedTime, passed } from "./forTime.ts"
import { begin } from "./oneAtATime.ts"
import { type Row, Slices, type What } from "./Slices.ts"

export interface AttributeOptions {
  /** Milliseconds, 10 to 60 000. Default 10 000. A loop that does not turn makes it longer. */
  readonly forMs?: number | undefined
  /** Rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Rows at most, those with most time. Default 200, at most 5 000. */
  readonly limit?: number | undefined
}

/** Of one session, one name of a task, one kind of run. Shares are of `activeMs`, 0 to 1. */
export interface AttributedRow {
  /** The registry's name. */
  readonly kind: string
  /** The hash of the session's key. */
  readonly session: string
  /**
   * `turn` is of streams and of work in the background too; `resource` is what the session's resource does by itself, in timers
   * and on sockets that its open has made.
   */
  readonly what: What
  /** Undefined: no task, but one of the others. */
  readonly task: string | undefined
  /**
   * The run was over: what it left behind, an abandoned turn for one, or the code of its caller where that goes on in its
   * async context. It is not part of the session's own time.
   */
  readonly over: boolean
  /** Time in its own code, without what it called of others. */
  readonly selfMs: number
  readonly share: number
  readonly stretches: number
  /** The longest time in one go, in which nothing else of the process could run. */
  readonly longestMs: number
  /** `selfMs` is too large by at most this: what the timing itself took. */
  readonly errorMs: number
}
export interface Attribution {
  /** Epoch milliseconds of its begin. */
  readonly at: number
  readonly elapsedMs: number
  /** In which the loop did not wait for something to do. */
  readonly activeMs: number
  /** In code of sessions while their runs lasted. */
  readonly sessionsMs: number
  /** In code of runs that were over. */
  readonly overMs: number
  /** In code of none: the host, and Sojourn itself. */
  readonly hostMs: number
  /** Active, but in no callback that Node tells of: Node itself, collecting garbage between callbacks, polling. */
  readonly unattributedMs: number
  /**
   * Part of the times above: of code that went on from an await begun before anybody watched. Node tells of it only at its end,
   * so work of Node itself just before may be in it.
   */
  readonly inferredMs: number
  /** What the timing itself took, about. It is part of the times above. */
  readonly overheadMs: number
  /** A share may be off by this much: what is not attributed, and the overhead. 0 to 1. */
  readonly errorShare: number
  readonly stretches: number
  readonly kinds: ReadonlyArray<{ readonly kind: string; readonly selfMs: number; readonly share: number }>
  /** Most time first. */
  readonly rows: ReadonlyArray<AttributedRow>
  /** Rows beyond `limit`, and their time. */
  readonly more: { readonly rows: number; readonly selfMs: number }
}

/**
 * Times whose code the event loop runs, for a while: by kind, session and task. Code belongs to the run in whose async context
 * it is, across awaits, timers and callbacks; on the Effect face to the run whose fiber it is. What a library does for
 * many callers in one callback of its own is its caller's in whose context that callback was made, or the host's.
 *
 * @throws ProfileRefused `Busy`, `InvalidTime`
 */
export const attribute = async (options: AttributeOptions = {}): Promise<Attribution> => {
  const forMs = checkedTime(options.forMs)
  options.signal?.throwIfAborted()
  using under = await beginAttribution()
  await passed(forMs, options.signal)
  return under.end(options.limit)
}

/** An attribution that is under way. Disposing it ends it without a result. */
export interface AttributionUnderWay extends Disposable {
  /** Ends it. `limit`: rows at most, default 200. */
  readonly end: (limit?: number) => Attribution
}

/**
 * The same, until it is ended: never leave it on. It ends by itself after a minute, and has then no more than that minute.
 *
 * @throws ProfileRefused `Busy`
 */
export const beginAttribution = async (): Promise<AttributionUnderWay> => {
  using parts = new DisposableStack()
  const place = parts.use(begin("attributing time"))
  const overhead = await overheadOf()
  const slices = slicesNow()
  const at = Date.now()
  const began = performance.now()
  const utilization = performance.eventLoopUtilization()
  const stopWatching = watch(slices)
  let times: Times | undefined
  const stop = (): Times => {
    if (times !== undefined) return times
    clearTimeout(timer)
    stopWatching()
    place[Symbol.dispose]()
    const elapsedMs = performance.now() - began
    const { active } = performance.eventLoopUtilization(utilization)
    return (times = { at, elapsedMs, activeMs: Math.min(elapsedMs, active), perStretchMs: overhead })
  }
  const timer = setTimeout(stop, longest).unref()
  parts.move()
  return {
    end: (limit = 200) => summary(slices, stop(), Math.min(5000, Math.max(0, Math.floor(limit)))),
    [Symbol.dispose]: () => void stop(),
  }
}
/** Milliseconds, and a little for who has a timer of that length. */
const longest = 61_000
interface Times {
  readonly at: number
  readonly elapsedMs: number
  readonly activeMs: number
  readonly perStretchMs: number
}

const slicesNow = (): Slices =>
  new Slices({ now: () => performance.now(), idle: () => performance.nodeTiming.idleTime, currentRun })

const watch = (slices: Slices): (() => void) => {
  const { after, before, entered, promise } = slices
  let looking = false
  const callbacks = createHook({
    trackPromises: false,
    before: () => {
      if (looking) return
      const resource = executionAsyncResource()
      if (!(resource instanceof AsyncResource)) return before(currentRun(), false)
      // Node tells of a scope before it is in it: a look inside says whose it is, and is itself told of.
      looking = true
      let run: Run | undefined
      try {
        run = resource.runInAsyncScope(currentRun)
      } finally {
        looking = false
      }
      before(run, true)
    },
    after: () => {
      if (!looking) after()
    },
  })
  const goesOn = (): void => before(currentRun(), false)
  const endRuns = watchRuns(entered)
  const endPromises = promiseHooks.createHook({
    init: promise,
    settled: promise,
    ...(tellsOfPromises === true ? {} : { before: goesOn, after }),
  }) as () => void
  callbacks.enable()
  return () => {
    callbacks.disable()
    endPromises()
    endRuns()
  }
}

/** Versions of Node 24 that do not know `trackPromises` tell of promises as well. */
let tellsOfPromises: boolean | undefined

const settled = Promise.resolve()
/** Milliseconds that the timing of one stretch takes: measured on nothing but awaits, without and with it. */
const overheadOf = async (): Promise<number> => {
  const times = 1000
  const run = async (): Promise<number> => {
    const began = performance.now()
    for (let time = 0; time < times; time++) await settled
    return performance.now() - began
  }
  tellsOfPromises ??= await seesPromises(run)
  const without = Math.min(await run(), await run())
  const stop = watch(slicesNow())
  const timed = Math.min(await run(), await run())
  stop()
  return Math.max(0, timed - without) / times
}

const seesPromises = async (run: () => Promise<unknown>): Promise<boolean> => {
  let promises = 0
  const look = createHook({
    before: () => {
      if (executionAsyncResource() instanceof Promise) promises++
    },
    trackPromises: false,
  }).enable()
  await run()
  look.disable()
  return promises > 0
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000
const sum = (rows: ReadonlyArray<Row>): number => rows.reduce((total, { selfMs }) => total + selfMs, 0)
const summary = (slices: Slices, times: Times, limit: number): Attribution => {
  const { activeMs, at, elapsedMs, perStretchMs } = times
  const share = (ms: number): number => (activeMs === 0 ? 0 : Math.min(1, round(ms / activeMs)))
  const all = [...slices.rows.values()].toSorted((one, other) => other.selfMs - one.selfMs)
  const shown = all.slice(0, limit)
  const left = all.slice(limit)
  const sessionsMs = sum(all.filter(({ over }) => !over)) + slices.others.selfMs
  const overMs = sum(all.filter(({ over }) => over))
  const hostMs = slices.host.selfMs
  const unattributedMs = Math.max(0, activeMs - sessionsMs - overMs - hostMs)
  const overheadMs = slices.count * perStretchMs
  const kinds = new Map<string, number>()
  for (const { kind, over, selfMs } of all) if (!over) kinds.set(kind, (kinds.get(kind) ?? 0) + selfMs)
  return {
    at,
    elapsedMs: round(elapsedMs),
    activeMs: round(activeMs),
    sessionsMs: round(sessionsMs),
    overMs: round(overMs),
    hostMs: round(hostMs),
    unattributedMs: round(unattributedMs),
    inferredMs: round(slices.inferredMs),
    overheadMs: round(overheadMs),
    errorShare: share(unattributedMs + overheadMs),
    stretches: slices.count,
    kinds: [...kinds]
      .map(([kind, selfMs]) => ({
        kind: cleaned(kind, bounds.name),
        selfMs: round(selfMs),
        share: share(selfMs),
      }))
      .toSorted((one, other) => other.selfMs - one.selfMs),
    rows: shown.map((row) => ({
      kind: cleaned(row.kind, bounds.name),
      session: hashedKey(row.key) ?? "",
      what: row.what,
      task: row.task === undefined ? undefined : cleaned(row.task, bounds.name),
      over: row.over,
      selfMs: round(row.selfMs),
      share: share(row.selfMs),
      stretches: row.stretches,
      longestMs: round(row.longestMs),
      errorMs: round(row.stretches * perStretchMs),
    })),
    more: { rows: left.length, selfMs: round(sum(left) + slices.others.selfMs) },
  }
}
