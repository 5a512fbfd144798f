import { Session, type Profiler } from "node:inspector"
import { setTimeout as pass } from "node:timers/promises"
import { expect, test } from "vitest"
import { attribute } from "../../src/profile/attribute.ts"
import { cpuProfile } from "../../src/profile/cpuProfile.ts"
import { profiling } from "../../src/profile/oneAtATime.ts"
import { ProfileRefused } from "../../src/profile/ProfileRefused.ts"

const asked = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof ProfileRefused ? error.reason : error),
  )
function findMeInTheProfile(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test("the profile is one that developer tools open, and has what ran in it", async () => {
  const profiled = cpuProfile({ forMs: 500, intervalUs: 500 })
  await pass(30)
  findMeInTheProfile(400)
  const { profile, debugger: attached } = await profiled
  expect(attached).toBe(false)
  const ids = new Set(profile.nodes.map(({ id }) => id))
  const mine = profile.nodes.filter(({ callFrame }) => callFrame.functionName === "findMeInTheProfile")
  expect(mine.length).toBeGreaterThan(0)
  expect(profile.samples?.every((id) => ids.has(id))).toBe(true)
  expect(profile.samples?.length).toBe(profile.timeDeltas?.length)
  expect(profile.endTime - profile.startTime).toBeGreaterThanOrEqual(400_000)
  expect(JSON.parse(JSON.stringify(profile))).toEqual(profile)
})

test("one at a time in the process, of whatever kind; aborting frees the place and leaves no profiler on", async () => {
  const gone = new AbortController()
  const first = asked(cpuProfile({ forMs: 60_000, signal: gone.signal }))
  expect(profiling()).toBe("a CPU profile")
  expect(await asked(cpuProfile({ forMs: 10 }))).toBe("Busy")
  expect(await asked(attribute({ forMs: 10 }))).toBe("Busy")
  const why = new Error("enough")
  gone.abort(why)
  expect(await first).toBe(why)
  expect(profiling()).toBeUndefined()
  expect(await asked(cpuProfile({ forMs: 10, signal: gone.signal }))).toBe(why)
  for (const forMs of [0, 60_001, Number.NaN, -1])
    expect(await asked(cpuProfile({ forMs }))).toBe("InvalidTime")
  expect(await asked(cpuProfile({ forMs: 10 }))).toBe("done")
})

test("another one that profiles goes on undisturbed", async () => {
  const other = new Session()
  other.connect()
  const post = (method: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      other.post(method, (error: Error | null, result?: object) =>
        error === null ? resolve(result) : reject(error),
      )
    })
  await post("Profiler.enable")
  await post("Profiler.start")
  await cpuProfile({ forMs: 20 })
  findMeInTheProfile(400)
  const { profile } = (await post("Profiler.stop")) as Profiler.StopReturnType
  other.disconnect()
  // It has samples of what ran after ours had ended.
  let at = profile.startTime
  const late = (profile.timeDeltas ?? []).filter((delta) => (at += delta) > profile.endTime - 350_000)
  expect(late.length).toBeGreaterThan(0)
})
