import { queryObjects } from "node:v8"
import { describe, expect, test } from "vitest"
import { PromiseTask } from "../../src/face/promise/PromiseTask.ts"
import { Session } from "../../src/session/Session.ts"
import { Frame } from "../../src/task/Frame.ts"
import { world } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"

/** How many are alive; collects garbage first. */
const alive = (kind: new (...args: never) => object): number => queryObjects(kind, { format: "count" })

describe("memory", () => {
  test("L7, L26: timers that turns leave behind, each of which runs a turn that leaves one, keep nothing of it", async () => {
    const { clock, sessions } = world()
    const counts: Array<number> = []
    const last = Promise.withResolvers<void>()
    const hop = (left: number): Promise<void> =>
      sessions.run("a", () => {
        if (left === 150 || left === 0) counts.push(alive(Frame), alive(PromiseTask))
        if (left === 0) last.resolve()
        else void clock.after(1).then(() => hop(left - 1))
      })
    void hop(300)
    await clock.advance(301)
    await last.promise
    const [framesBefore = 0, tasksBefore = 0, framesAfter = Infinity, tasksAfter = Infinity] = counts
    expect(framesAfter - framesBefore).toBeLessThan(20)
    expect(tasksAfter - tasksBefore).toBeLessThan(20)
  })

  test("L7, L26: the same when each is begun while the one before still runs, and does not wait for it", async () => {
    const { clock, sessions } = world()
    const counts: Array<number> = []
    const last = Promise.withResolvers<void>()
    const hop = (left: number): Promise<void> =>
      sessions.run(`key ${left % 4}`, async () => {
        if (left === 150 || left === 0) counts.push(alive(Frame))
        if (left === 0) return last.resolve()
        await clock.after(1)
        hop(left - 1).catch(last.reject)
        await clock.after(1)
      })
    hop(300).catch(last.reject)
    await clock.advance(302)
    await last.promise
    const [before = 0, after = Infinity] = counts
    expect(after - before).toBeLessThan(20)
  })

  test("L26: ids used once leave nothing behind", async () => {
    const { clock, events, registry, sessions } = world({ idleTimeout: 1000 })
    for (let batch = 0; batch < 8; batch++) {
      await Promise.all(Array.from({ length: 500 }, (_, n) => sessions.run(`${batch}/${n}`, () => n)))
      await clock.advance(1000)
      for (let round = 0; round < 20; round++) await settle()
      events.length = 0
    }
    expect(registry.sessions.size).toBe(0)
    expect(registry.ends.size).toBeLessThanOrEqual(1000)
    expect(alive(Session)).toBeLessThan(20)
  })
})
