import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { runSchedule, type Outcome } from "../../src/testing/laws/schedule.ts"

/**
 * Seeds that once found something, with what it was. They stay: the rarest of them are found by one schedule in many
 * thousands.
 */
const regressions: ReadonlyArray<readonly [seed: number, found: string]> = [
  [
    678,
    "a call into another registry marked its caller's sign of life by that registry's clock, so a hang was found late",
  ],
  [9864, "a stall that was over before a sign of life was credited after it, so a hang was found late"],
  [5682, "waiting calls looked at again once a slot was lost: without it they wait for themselves"],
]

/** An Effect takes several times as long to run as a function. */
const schedulesOn = { "Promise face": 400, "Effect face": 150 } as const
const replayed = process.env["SEED"]
const report = ({ broken, seed, trace }: Outcome): string =>
  `${broken}\nReplay it with SEED=${seed}. What happened:\n${trace.slice(-200).join("\n")}`

/** What must have happened in them, or they prove nothing about it: each is a line of a trace. */
const happenings = [
  / is told (succeeded|failed|cancelled|timedOut|interrupted|rejected) /,
  / closes: (Idle|Evicted|Recycled|Requested|Restarted|Ended|Drained|Broken|Unresponsive),/,
  / then (forget|reopen|quarantine)$/,
  /probe of .* \((AfterError|BeforeTurn|Interval)\)/,
  /probe of .*: (good|slow|false|throw|hang|late)$/,
  /^ *\d+ {2}(evict|drain|close|restart|cancel) /,
  / (starts again) on /,
  /(the loop stands still)/,
  /finalizer .* \((throw|hang|slow|run|close|register)\)/,
]
/** Every alternative of every line. */
const wanted = happenings.flatMap((happening) => {
  const alternatives = /\(([\w |]+)\)/.exec(happening.source.replaceAll(String.raw`\(`, "")) ?? []
  return (alternatives[1] ?? "").split("|")
})

describe.each(faces)("$face", (face) => {
  const happened = new Set<string>()
  const schedules = schedulesOn[face.face]
  /** The first that breaks a law, in words. */
  const firstBroken = async (seeds: Iterable<number>): Promise<string | undefined> => {
    for (const seed of seeds) {
      const outcome = await runSchedule(face, seed)
      for (const line of outcome.trace)
        for (const happening of happenings) happened.add(happening.exec(line)?.[1] ?? "")
      if (outcome.broken !== undefined) return report(outcome)
    }
    return undefined
  }
  test.runIf(replayed !== undefined)("the schedule of SEED", async () => {
    expect(await firstBroken([Number(replayed)])).toBeUndefined()
  })

  test(`L1 L3 L4 L5 L6 L7 L8 L9 L10 L11 L12 L13 L14 L15 L20 L21 L22 L23 L24 L25 L26: ${schedules} random schedules keep the laws`, async () => {
    expect(await firstBroken(Array.from({ length: schedules }, (_, index) => index + 1))).toBeUndefined()
  }, 60_000)

  test("all that can go wrong did, in those schedules", () => {
    expect(wanted.filter((what) => !happened.has(what))).toEqual([])
  })

  test.each(regressions.map(([seed, found]) => ({ seed, found })))("seed $seed: $found", async ({ seed }) => {
    expect(await firstBroken([seed])).toBeUndefined()
  })

  test("a seed gives the same schedule every time", async () => {
    for (const seed of [3, 14, 159]) {
      const [first, second] = [await runSchedule(face, seed), await runSchedule(face, seed)]
      expect(second.trace).toEqual(first.trace)
    }
  })
})
