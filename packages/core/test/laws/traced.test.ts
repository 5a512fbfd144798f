/** Random schedules with a tracer: every span ends, once, whatever happens, and the laws hold as they do without one. */
import { describe, expect, test } from "vitest"
import { runSchedule } from "../../src/testing/laws/schedule.ts"
import { faces } from "../support/faces.ts"
import { SpanRecorder } from "../support/SpanRecorder.ts"

const schedulesOn = { "Promise face": 150, "Effect face": 50 } as const

describe.each(faces)("$face", (face) => {
  const seeds = Array.from({ length: schedulesOn[face.face] }, (_, index) => index + 1)

  test(`L2 L5 L16: after ${seeds.length} random schedules no span is open, and none ended twice`, async () => {
    const seen = new Set<string>()
    for (const seed of seeds) {
      const recorder = new SpanRecorder()
      const { broken } = await runSchedule(recorder.over(face), seed)
      expect([seed, broken, recorder.open, recorder.late]).toEqual([seed, undefined, [], []])
      for (const { attributes, ended, events, subject } of recorder.spans) {
        seen.add(`${subject} ${ended?.outcome}`)
        for (const event of events) seen.add(event.split(" ")[0] ?? "")
        if (attributes["sojourn.task.abandoned"] === true) seen.add("abandoned")
      }
      for (const subject of ["open", "close"] as const) {
        const generations = recorder
          .of(subject)
          .map(({ attributes, started }) =>
            [started.session?.name, attributes["sojourn.generation.serial"]].join(),
          )
        expect(generations.length).toBe(new Set(generations).size)
      }
    }
    // Or it proves nothing about them.
    expect([...seen].toSorted()).toEqual(
      [
        ...["succeeded", "failed", "cancelled", "timedOut", "interrupted", "rejected"].map(
          (end) => `task ${end}`,
        ),
        ...["succeeded", "failed", "cancelled", "timedOut"].map((end) => `open ${end}`),
        ...["succeeded", "failed", "leaked"].map((end) => `close ${end}`),
        ...["succeeded", "failed", "unwanted"].map((end) => `probe ${end}`),
        "started",
        "told",
        "abandoned",
      ].toSorted(),
    )
  }, 60_000)

  test("L16 L20: a tracer that throws breaks no law and keeps no work from being done", async () => {
    let calls = 0
    for (const seed of seeds.slice(0, seeds.length / 3)) {
      const recorder = new SpanRecorder()
      recorder.called = () => {
        if (++calls % 3 === 0) throw new Error("The tracer is broken.")
      }
      const { broken } = await runSchedule(recorder.over(face), seed)
      expect([seed, broken]).toEqual([seed, undefined])
    }
    expect(calls).toBeGreaterThan(1_000)
  }, 60_000)
})
