/** Random users of a store, against what compare-and-set means. */
import fc from "fast-check"
import { describe, expect, test, vi } from "vitest"
import { keyValueStore, type SessionStore } from "../../src/index.ts"
import { fileStore } from "../../src/node.ts"
import { diesAfter, interleaved, throughGate } from "./fsGates.ts"
import { type Call, unexplained } from "./history.ts"
import { farKv, folder, makers } from "./makers.ts"
import { type Step, Writer } from "./Writer.ts"

// Some wait for the disk thousands of times.
vi.setConfig({ testTimeout: 60_000 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.constant<Step>("load"), weight: 4 },
  { arbitrary: fc.constant<Step>("save"), weight: 6 },
  { arbitrary: fc.constant<Step>("remove"), weight: 1 },
  { arbitrary: fc.constant<Step>("setAside"), weight: 1 },
)
const stepsOf = (most: number): fc.Arbitrary<Array<Step>> => fc.array(step, { minLength: 1, maxLength: most })

const clock = (): (() => number) => {
  let now = 0
  return () => ++now
}
/** What is stored in the end is one more answer to explain. */
const finish = async (
  store: SessionStore,
  writers: ReadonlyArray<Writer>,
  now: () => number,
): Promise<ReadonlyArray<ReadonlyArray<Call>>> => {
  const last = new Writer(store, "key", "last", now)
  await last.step("load")
  await last.step("save")
  await last.step("load")
  return [...writers, last].map(({ calls }) => calls)
}

describe("the check finds what it looks for", () => {
  const call = (began: number, ended: number, rest: Omit<Call, "began" | "ended">): Call => ({
    began,
    ended,
    ...rest,
  })
  const first = call(1, 2, { what: "save", base: undefined, state: "a1", saved: true })

  test.for<readonly [string, ReadonlyArray<Call>]>([
    ["a lost state", [first, call(3, 4, { what: "load", base: undefined })]],
    [
      "a state that comes back",
      [first, call(3, 4, { what: "remove", base: undefined }), call(5, 6, { what: "load", base: "a1" })],
    ],
    [
      "two successors of one state",
      [
        first,
        call(3, 6, { what: "save", base: "a1", state: "b1", saved: true }),
        call(3, 6, { what: "save", base: "a1", state: "c1", saved: true }),
      ],
    ],
    [
      "a refusal without reason",
      [first, call(3, 4, { what: "save", base: "a1", state: "b1", saved: false })],
    ],
    [
      "a state before it was saved",
      [
        call(1, 2, { what: "load", base: "b1" }),
        call(3, 4, { what: "save", base: undefined, state: "b1", saved: true }),
      ],
    ],
  ])("%s", ([, calls]) => {
    expect(unexplained(calls.map((one) => [one]))).toBeDefined()
  })

  test.for<readonly [string, ReadonlyArray<Call>]>([
    [
      "who comes second is refused",
      [first, call(1, 4, { what: "save", base: undefined, state: "b1", saved: false })],
    ],
    [
      "a call that never answered, and took effect",
      [
        first,
        call(3, Infinity, { what: "save", base: "a1", state: "b1" }),
        call(5, 6, { what: "load", base: "b1" }),
      ],
    ],
    [
      "a call that never answered, and did not",
      [
        first,
        call(3, Infinity, { what: "save", base: "a1", state: "b1" }),
        call(5, 6, { what: "load", base: "a1" }),
      ],
    ],
  ])("and not %s", ([, calls]) => {
    expect(unexplained(calls.map((one) => [one]))).toBeUndefined()
  })
})

describe.each(Object.entries(makers))("L25: %s", (_, make) => {
  test("several users at once: one order explains all answers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepsOf(6), { minLength: 1, maxLength: 4 }), async (programs) => {
        const store = await make()
        const now = clock()
        const writers = programs.map((__, index) => new Writer(store, "key", `${index}:`, now))
        await Promise.all(writers.map((writer, index) => writer.run(programs[index] ?? [])))
        const calls = await finish(store, writers, now)
        expect(unexplained(calls)).toBeUndefined()
      }),
      { numRuns: 60 },
    )
  })
})

describe("L25: two key-value stores over one that changes a text atomically", () => {
  test("hold compare-and-set once there is a state", async () => {
    const change: fc.Arbitrary<Step> = fc.constantFrom("load", "save")
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 4 }),
        async (programs) => {
          const texts = new Map<string, string>()
          const now = clock()
          const writers = programs.map(
            (_, index) => new Writer(keyValueStore(farKv(texts, true)), "key", `${index}:`, now),
          )
          for (const writer of writers)
            await writer.run(["load", ...(writer === writers[0] ? ["save" as const] : [])])
          await Promise.all(writers.map((writer, index) => writer.run(programs[index] ?? [])))
          const calls = await finish(keyValueStore(farKv(texts, true)), writers, now)
          expect(unexplained(calls)).toBeUndefined()
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe("L25: fileStore", () => {
  test("several processes, any order of their file system calls: one order explains all answers", async () => {
    const directory = await folder()
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepsOf(4), { minLength: 2, maxLength: 3 }),
        fc.array(fc.nat(9), { minLength: 20, maxLength: 200 }),
        async (programs, choices) => {
          const options = { directory: `${directory}/${run++}` }
          const now = clock()
          const writers = programs.map((_, index) => new Writer(fileStore(options), "key", `${index}:`, now))
          await interleaved(
            choices,
            writers.map((writer, index) => () => writer.run(programs[index] ?? [])),
          )
          const calls = await finish(fileStore(options), writers, now)
          expect(unexplained(calls)).toBeUndefined()
        },
      ),
      { numRuns: 120 },
    )
  })

  test("a process that dies at any file system call: what was acknowledged is there, whole", async () => {
    const directory = await folder()
    const steps: ReadonlyArray<Step> = [
      "save",
      "save",
      "setAside",
      "load",
      "save",
      "save",
      "remove",
      "load",
      "save",
    ]
    let calls = 0
    for (let ended = false; !ended; calls++) {
      const options = { directory: `${directory}/${calls}` }
      const now = clock()
      const dying = new Writer(fileStore(options), "key", "dying:", now)
      const { died, gate } = diesAfter(calls)
      {
        using _ = throughGate(gate)
        ended = await Promise.race([dying.run(steps).then(() => true), died.then(() => false)])
      }
      const next = new Writer(fileStore(options), "key", "next:", now)
      await next.run(["load", "save", "load", "setAside", "load", "save", "remove", "load", "save"])
      const all = await finish(fileStore(options), [dying, next], now)
      expect({ calls, unexplained: unexplained(all) }).toEqual({ calls, unexplained: undefined })
    }
    expect(calls).toBeGreaterThan(50)
  })
})
