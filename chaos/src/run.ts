/** Round after round until the time is over; between rounds, with everything let go, the process itself is looked at. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Trace } from "./book/Trace.ts"
import type { Violation } from "./book/types.ts"
import { Tally } from "./faults.ts"
import { countHandles, isFull, judgeFaults, judgeHandles, judgeHeap, type Handles } from "./oracle/process.ts"
import { collect } from "./memory.ts"
import { Random } from "./random.ts"
import type { Report } from "./report.ts"
import { playRound, type Ground } from "./round.ts"
import { Stalls } from "./Stalls.ts"
import { pauseUnheld } from "./time.ts"
import { Children } from "./world/children.ts"
import { EchoServer } from "./world/EchoServer.ts"
import type { Scene } from "./world/Scene.ts"

const roundMs = 4000
/** Beyond the time that was asked for, while there are faults that have not happened. */
const mostExtraRounds = 6
const progressMs = 10_000

export interface RunSettings {
  readonly seed: string
  readonly ms: number
  readonly progress: (line: string) => void
}

export const run = async ({ ms, progress, seed }: RunSettings): Promise<Report> => {
  const began = performance.now()
  const random = new Random(seed)
  const tally = new Tally()
  const trace = new Trace()
  const children = new Children()
  const ground: Ground = {
    random,
    tally,
    trace,
    children,
    folder: mkdtempSync(join(tmpdir(), "sojourn-chaos-")),
    stalls: new Stalls(),
    server: await EchoServer.start(random.fork("server"), tally),
  }
  const found: Array<Violation> = []
  const unhandled = (what: string) => (error: unknown) => {
    trace.add(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    found.push({ rule: "unhandled", what: `${what}: ${String(error)}`, about: undefined })
  }
  const onRejection = unhandled("unhandled rejection")
  const onException = unhandled("uncaught exception")
  process.on("unhandledRejection", onRejection)
  process.on("uncaughtException", onException)

  const heap: Array<number> = []
  const answers = new Map<string, number>()
  let scene: Scene | undefined
  let tasks = 0
  let generations = 0
  let leaked = 0
  let rounds = 0
  const handles = countHandles(process.getActiveResourcesInfo())
  const speak = setInterval(() => {
    const { heapUsed } = process.memoryUsage()
    const more = scene?.book.calls.length ?? 0
    progress(
      `${seconds(performance.now() - began)} s, round ${rounds + 1}: ${tasks + more} tasks, ${tally.total} faults of ${tally.kinds} kinds, ` +
        `${children.alive} children, heap ${megabytes(heapUsed)} MB`,
    )
  }, progressMs)
  speak.unref()

  try {
    for (let more = 0; found.length === 0;) {
      const left = ms - (performance.now() - began)
      // A slow machine may not have come to everything yet.
      if (left <= 0 && (!isFull(ms) || tally.missing === 0 || more++ >= mostExtraRounds)) break
      const length = left > 0 ? Math.min(roundMs, Math.max(1000, left)) : roundMs
      const result = await playRound(ground, rounds + 1, length, (made) => {
        scene = made
      })
      scene = undefined
      rounds++
      tasks += result.tasks
      generations += result.generations
      leaked += result.leaked
      for (const [name, count] of result.answers) answers.set(name, (answers.get(name) ?? 0) + count)
      found.push(...result.found)
      if (found.length > 0) break
      trace.clear()
      found.push(...(await leftHandles(handles)))
      const after = await collect(result.registries)
      found.push(...after.found)
      heap.push(after.heap)
    }
  } finally {
    clearInterval(speak)
    ground.stalls.stop()
    await ground.server.stop()
    children.killAll()
    rmSync(ground.folder, { recursive: true, force: true })
    process.off("unhandledRejection", onRejection)
    process.off("uncaughtException", onException)
  }
  const ranMs = performance.now() - began
  if (found.length === 0) found.push(...judgeHeap(heap), ...judgeFaults(tally.all, ms))
  const [first] = found
  return {
    seed,
    ranMs,
    rounds,
    tasks,
    generations,
    leaked,
    faults: tally.all,
    answers: [...answers].toSorted(([a], [b]) => a.localeCompare(b)),
    heap,
    violations: found,
    trace: first === undefined ? [] : trace.last(first.about),
  }
}

/** Sockets and timers take a moment to go. */
const leftHandles = async (before: Handles): Promise<ReadonlyArray<Violation>> => {
  for (let tries = 0; ; tries++) {
    const found = judgeHandles(before, countHandles(process.getActiveResourcesInfo()))
    if (found.length === 0 || tries === 100) return found
    await pauseUnheld(20)
  }
}
const seconds = (ms: number): string => (ms / 1000).toFixed(0)
const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)
