import { setTimeout as pass } from "node:timers/promises"
import { afterEach, expect, test } from "vitest"
import { createSessions } from "../../src/face/createSessions.ts"
import { currentRun, watchRuns, type Run } from "../../src/observe/runs.ts"

const ends: Array<() => void> = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

test("code knows whose run it is part of, until that is over", async () => {
  await using sessions = createSessions({ name: "runs", open: () => ({}) })
  expect(currentRun()).toBeUndefined()
  let seen: Run | undefined
  let left: Promise<Run | undefined> | undefined
  await sessions.run(
    "a",
    async () => {
      await pass(1)
      seen = currentRun()
      expect(seen).toMatchObject({
        kind: "turn",
        session: { key: "a", registry: { name: "runs" } },
        task: { name: "look" },
      })
      left = pass(5).then(currentRun)
    },
    { name: "look" },
  )
  expect(seen).toMatchObject({ session: undefined, task: undefined, made: undefined })
  // The same one, also where it has left something behind.
  expect(await left).toBe(seen)
})

test("what a resource does by itself is known as its session's, however long ago it was opened", async () => {
  let tick: Run | undefined
  const sessions = createSessions({
    name: "ticking",
    open: ({ onClose }) => {
      const timer = setInterval(() => (tick = currentRun()), 1)
      onClose(() => clearInterval(timer))
      return {}
    },
  })
  await sessions.run("a", () => 1)
  await pass(20)
  expect(tick).toMatchObject({ kind: "open", session: undefined, made: { name: "ticking", key: "a" } })
  await sessions.drain()
})

test("who watches is told of each frame that code begins to run in, and no more once that is ended", async () => {
  await using sessions = createSessions({ name: "told", open: () => ({}) })
  await sessions.run("a", () => 1)
  const told: Array<string | undefined> = []
  const end = watchRuns((run) => told.push(run?.task?.name))
  ends.push(end)
  await sessions.run("a", () => 1, { name: "first" })
  expect(told).toEqual(["first"])
  // A later one takes its place, and the earlier one's end does not end it.
  const later: Array<string | undefined> = []
  ends.push(watchRuns((run) => later.push(run?.task?.name)))
  end()
  await sessions.run("a", () => 1, { name: "second" })
  expect([told, later]).toEqual([["first"], ["second"]])
  for (const one of ends.splice(0)) one()
  await sessions.run("a", () => 1, { name: "third" })
  expect([told, later]).toEqual([["first"], ["second"]])
})
