import type { CDPSession, Page } from "playwright-core"

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly ts: number
  readonly dur?: number
  readonly tdur?: number
  readonly pid: number
  readonly tid: number
  readonly args?: { readonly name?: string; readonly data?: { readonly frame?: string } }
}

export interface FrameWork extends Readonly<Record<string, number>> {
  /** Pictures in which something was done. */
  readonly frames: number
  /** Milliseconds of the main thread's processor time for each of them. */
  readonly p50: number
  readonly p95: number
  readonly most: number
  /** Tasks over 50 ms by the clock. */
  readonly long: number
}

const traced = async (
  session: CDPSession,
  act: () => Promise<unknown>,
): Promise<ReadonlyArray<TraceEvent>> => {
  const events: Array<TraceEvent> = []
  session.on("Tracing.dataCollected", ({ value }) => {
    events.push(...(value as unknown as ReadonlyArray<TraceEvent>))
  })
  const done = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve))
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: {
      includedCategories: ["toplevel", "devtools.timeline", "__metadata"],
    },
  })
  await act()
  await session.send("Tracing.end")
  await done
  return events
}

/**
 * The work of the page's main thread while something is done, from one picture to the next: all that runs there, scripts,
 * style, layout and paint.
 */
export const frameWork = async (page: Page, act: () => Promise<unknown>): Promise<FrameWork> => {
  const session = await page.context().newCDPSession(page)
  const events = await traced(session, act)
  await session.detach()
  const threads = events.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
  // Of several renderers, the one that did most is the page that was driven.
  const [driven] = threads
    .map(({ pid, tid }) => {
      const tasks = events.filter(
        (event) =>
          event.pid === pid &&
          event.tid === tid &&
          event.ph === "X" &&
          event.name === "ThreadControllerImpl::RunTask",
      )
      return { pid, tid, tasks, sum: tasks.reduce((all, { tdur = 0 }) => all + tdur, 0) }
    })
    .toSorted((a, b) => b.sum - a.sum)
  if (driven === undefined) throw new Error("The trace has no main thread.")
  // Where the main thread hands a picture over: what ran since the one before was for this one.
  const commits = events
    .filter(({ name, pid, tid }) => name === "Layerize" && pid === driven.pid && tid === driven.tid)
    .map(({ ts }) => ts)
    .toSorted((a, b) => a - b)
  if (commits.length === 0) throw new Error("The trace has no pictures.")
  const work = new Float64Array(commits.length)
  // Chromium leaves out the processor time of tasks that took next to none.
  const timed = driven.tasks.some(({ tdur }) => tdur !== undefined)
  let long = 0
  let frame = 0
  for (const { ts, dur = 0, tdur = timed ? 0 : dur } of driven.tasks.toSorted((a, b) => a.ts - b.ts)) {
    if (dur > 50_000) long += 1
    while (frame < commits.length && (commits[frame] ?? 0) < ts) frame += 1
    if (frame < commits.length) work[frame] = (work[frame] ?? 0) + tdur / 1000
  }
  const sorted = [...work].toSorted((a, b) => a - b)
  const part = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { frames: sorted.length, p50: part(0.5), p95: part(0.95), most: sorted.at(-1) ?? 0, long }
}

/** Megabytes of the page's own heap, after what can be collected was. */
export const heapOf = async (page: Page): Promise<number> => {
  const session = await page.context().newCDPSession(page)
  await session.send("HeapProfiler.collectGarbage")
  await session.send("HeapProfiler.collectGarbage")
  const { usedSize } = await session.send("Runtime.getHeapUsage")
  await session.detach()
  return usedSize / 1_048_576
}
