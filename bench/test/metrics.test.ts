import { inspectionOf } from "@sojourn/core/inspect"
import { expect, it } from "vitest"
import { Ledger, manyKeys, syncTask, Traffic } from "../src/fixture.ts"
import { timed } from "../src/harness.ts"
import { makeSessions } from "../src/peers/sojourn.ts"
import { taskHeapCases } from "../src/taskHeapCases.ts"
import * as works from "../src/works/metrics.ts"

it("what counts nothing counts nothing, and works all the same", async () => {
  const ledger = new Ledger()
  const [counted, uncounted] = [makeSessions(ledger), makeSessions(ledger)]
  works.countNothing(uncounted)
  for (const sessions of [counted, uncounted])
    for (let turn = 0; turn < 3; turn++) await sessions.run("session-1", syncTask, { name: "turn" })
  expect(ledger.turns).toBe(6)
  const started = [counted, uncounted].map((sessions) =>
    Array.from(inspectionOf(sessions)?.tasks() ?? [], (task) => task.started),
  )
  expect(started).toEqual([[3], []])
  for (const sessions of [counted, uncounted]) await sessions.drain()
})

it.each([works.counted, works.uncounted, works.shown, works.shownWithExemplars])(
  "each way to be counted gives the right sums",
  async (make) => {
    const work = await make(Traffic.roundRobin(manyKeys(10)))
    expect(await timed(work, 100)).toBeGreaterThan(0)
    await work.close()
  },
)

it("live tasks are live, counted or not", async () => {
  for (const [name, make] of Object.entries(taskHeapCases)) {
    const ledger = new Ledger()
    const { fill, live } = await make(manyKeys(20), ledger)
    await fill()
    expect([name, live(), ledger.turns]).toEqual([name, 20, 20])
  }
})
