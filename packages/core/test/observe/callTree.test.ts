import { describe, expect, test } from "vitest"
import { callTreeOf, type CallTree } from "../../src/inspect.ts"
import type { Task } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { inspect, taskNamed } from "../support/inspected.ts"
import { watch } from "../support/watch.ts"

interface Shape extends ReadonlyArray<string | number | Shape> {}
const shapeOf = ({ calls, more, task }: CallTree): Shape => [
  task.name,
  ...calls.map(shapeOf),
  ...(more === 0 ? [] : [more]),
]

describe.each(faces)("$face", ({ world }) => {
  test("L22: who has called whom, across registries, from wherever one begins to look", async () => {
    const [a, b] = [world({ concurrency: 9 }), world({ concurrency: 9 })]
    const held = gate()
    const leaf = (name: string) => b.sessions.run("leaf", () => held.promise, { name })
    const runs = watch(
      a.clock,
      a.sessions.run(
        "top",
        () =>
          Promise.all([
            b.sessions.run(
              "mid",
              () => Promise.all([leaf("l1"), a.sessions.run("deep", () => leaf("l2"), { name: "deep" })]),
              {
                name: "mid",
              },
            ),
            leaf("l3"),
          ]),
        { name: "top" },
      ),
    )
    const alone = watch(b.clock, leaf("alone"))
    await a.clock.advance(10)
    const whole: Shape = ["top", ["mid", ["l1"], ["deep", ["l2"]]], ["l3"]]
    for (const [w, name] of [
      [a, "top"],
      [b, "l2"],
      [b, "mid"],
      [a, "deep"],
    ] as const)
      expect(shapeOf(callTreeOf(taskNamed(inspect(w), name)))).toEqual(whole)
    expect(shapeOf(callTreeOf(taskNamed(inspect(b), "alone")))).toEqual(["alone"])
    const l2 = taskNamed(inspect(b), "l2")
    expect(l2.parent).toEqual({
      registry: a.sessions.name,
      key: "deep",
      id: taskNamed(inspect(a), "deep").id,
      name: "deep",
    })
    expect([l2.caller?.name, l2.caller?.caller?.name, l2.caller?.session.key]).toEqual([
      "deep",
      "mid",
      "deep",
    ])
    expect(
      inspect(b)
        .find("mid")
        ?.task(taskNamed(inspect(b), "mid").id)?.name,
    ).toBe("mid")
    expect(inspect(b).find("mid")?.task("t0")).toBeUndefined()
    held.open()
    await a.clock.advance(10)
    expect([runs.outcome.slice(0, 5), alone.outcome]).toEqual(["value", "value undefined"])
    expect(l2.parent).toBeUndefined()
    expect([...inspect(b).recent()].find(({ name }) => name === "l1")?.parent?.name).toBe("mid")
  })

  test("L16: a tree has room for so many, nearest first, and says how many it leaves out", async () => {
    const w = world({ concurrency: 1000, maxSessions: 1000 })
    const held = gate()
    const chain = (left: number): Promise<unknown> =>
      left === 0 ? held.promise : w.sessions.run(`c${left}`, () => chain(left - 1), { name: `c${left}` })
    const wide = watch(
      w.clock,
      w.sessions.run(
        "wide",
        () =>
          Promise.all(
            Array.from({ length: 20 }, (_, n) =>
              w.sessions
                .run("calls", () => chain(2), { name: `call ${n}`, whenBusy: "overlap" })
                .catch(() => {}),
            ),
          ),
        { name: "wide" },
      ),
    )
    const deep = watch(w.clock, chain(300))
    await w.clock.advance(10)
    const count = ({ calls }: CallTree): number => calls.reduce((sum, call) => sum + count(call), 1)
    const tree = (name: string, limit?: number) =>
      callTreeOf(taskNamed(inspect(w), name), limit === undefined ? undefined : { limit })
    const cut = tree("wide", 6)
    expect([count(cut), cut.calls.length, cut.more]).toEqual([6, 5, 15])
    expect(tree("wide", 1)).toMatchObject({ calls: [], more: 20 })
    expect(count(tree("c200"))).toBe(100)
    expect(count(tree("c200", Infinity))).toBe(300)
    expect(() => tree("wide", 0)).toThrow("limit")
    held.open()
    await w.clock.advance(10)
    expect([wide.outcome.slice(0, 5), deep.outcome.slice(0, 5)]).toEqual(["value", "value"])
  })

  test("L16: work in the background tells who started it, also when that has ended", async () => {
    const w = world()
    const held = gate()
    const starts = watch(
      w.clock,
      w.sessions.run("a", (_: Thing, task: Task) => task.background("poll", () => held.promise), {
        name: "starter",
      }),
    )
    await w.clock.advance(10)
    expect(starts.outcome).toBe("value true")
    const of = inspect(w)
    const [starter] = of.recent()
    const parent = { registry: w.sessions.name, key: "a", id: starter?.id, name: "starter" }
    const poll = taskNamed(of, "poll")
    expect([poll.parent, poll.caller, shapeOf(callTreeOf(poll))]).toEqual([parent, undefined, ["poll"]])
    held.open()
    await w.clock.advance(10)
    expect([...of.recent()][0]).toMatchObject({ name: "poll", kind: "background", parent })
  })
})
