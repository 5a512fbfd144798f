import { expect, test } from "vitest"
import { createSessionsWith } from "../../src/face/createSessions.ts"
import { fatalIn, processWarnings } from "../support/mistakes.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { watch } from "../support/watch.ts"

processWarnings()

/** One of its readings, counted from the beginning, throws. */
class FlakyClock extends VirtualClock {
  readings = 0
  readonly #bad: number
  constructor(bad: number) {
    super()
    this.#bad = bad
  }
  override readonly monotonicTimeNanosUnsafe = (): bigint => {
    if (++this.readings === this.#bad) throw new Error("no time")
    return this.currentTimeNanosUnsafe()
  }
  get passed(): boolean {
    return this.readings >= this.#bad
  }
}

/** What was wrong after that reading; undefined: there were fewer. */
const problemsOf = async (bad: number): Promise<ReadonlyArray<string> | undefined> => {
  const clock = new FlakyClock(bad)
  const { sessions } = createSessionsWith(
    {
      name: "clock",
      open: () => Promise.resolve("resource"),
      idleTimeout: 1000,
      maxSessions: 2,
      timeouts: { seat: 500, queue: 800, silence: 2000, grace: 100, close: 300 },
    },
    { clock, random: () => 0.5 },
  )
  const fatal: Array<unknown> = []
  const advance = async (ms: number): Promise<void> => {
    const end = clock.now + ms
    while (clock.now < end) {
      // What a ring throws would end the process.
      await clock.advance(end - clock.now).catch((error: unknown) => fatal.push(error))
    }
  }
  const told: Array<ReturnType<typeof watch>> = []
  const run = (key: string, work: () => unknown = () => 1, timeout?: number) => {
    const task = watch(clock, sessions.run(key, work, { timeout }))
    told.push(task)
    return task
  }
  let passed = false
  let late: ReturnType<typeof watch> | undefined
  let drained: ReturnType<typeof watch> | undefined
  fatal.push(
    ...(await fatalIn(async () => {
      run("a", () => clock.after(50))
      run("a")
      run("b", () => clock.after(5000), 300)
      run("b")
      run("c")
      await advance(200)
      run("a")
      await advance(1200)
      run("d")
      await advance(8000)
      passed = clock.passed
      late = run("late", () => clock.after(60_000), 100)
      await advance(1000)
      drained = watch(clock, sessions.drain({ finishWithin: 0 }))
      await advance(30_000)
    })),
  )
  if (!passed) return undefined
  return [
    ...(fatal.length > 0 ? ["it would have ended the process"] : []),
    ...(told.some(({ outcome }) => outcome === "pending") ? ["somebody was never told"] : []),
    ...(told.some(({ error }) => error instanceof Error && error.message === "no time")
      ? ["it was passed for a task's own failure"]
      : []),
    ...(late?.outcome === "TaskStopped Timeout" ? [] : [`a later clock told ${late?.outcome}`]),
    ...(drained?.outcome === "value [object Object]" ? [] : ["the drain did not end"]),
  ].map((problem) => `reading ${bad}: ${problem}`)
}

test("L20, L23: a clock that throws at any one reading: everyone is told, later clocks ring, and a drain ends", async () => {
  const problems: Array<string> = []
  let readings = 0
  for (;;) {
    const found = await problemsOf(readings + 1)
    if (found === undefined) break
    readings++
    problems.push(...found)
  }
  expect(readings).toBeGreaterThan(50)
  expect(problems).toEqual([])
})
