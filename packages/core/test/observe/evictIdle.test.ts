import { expect, test } from "vitest"
import { createSessions } from "../../src/index.ts"
import { inspectionOf } from "../../src/inspect.ts"
import { testSessions } from "../../src/testing.ts"

const inspected = (sessions: Parameters<typeof inspectionOf>[0]) => {
  const inspection = inspectionOf(sessions)
  if (inspection === undefined) throw new Error("nothing to inspect")
  return inspection
}

test("L9 evictIdle closes the longest idle first, as many as asked for, and no session in use", async () => {
  await using kit = testSessions({ name: "thing", open: ({ key }) => ({ key }) })
  const { sessions } = kit
  const inspection = inspected(sessions)
  let end = (): void => {}
  for (const key of ["a", "b", "c", "d"]) {
    await sessions.run(key, () => 1)
    await kit.advance("1 second")
  }
  const busy = sessions.run("a", () => new Promise<void>((resolve) => (end = resolve)))
  expect(inspection.evictIdle(0, 0)).toBe(0)
  expect(inspection.evictIdle(10, 2500)).toBe(1)
  await kit.advance(0)
  expect(sessions.explain("b").ended?.reason).toBe("Evicted")
  expect(inspection.evictIdle(1, 0)).toBe(1)
  await kit.advance(0)
  expect(sessions.explain("c").ended?.reason).toBe("Evicted")
  expect(["a", "d"].map((key) => sessions.explain(key).state)).toEqual(["Ready", "Ready"])
  expect(inspection.evictIdle(Infinity, 0)).toBe(1)
  expect(inspection.gauges().sessions.Ready).toBe(1)
  end()
  await busy
})

test("evictIdle keeps what a session saved", async () => {
  await using kit = testSessions({
    name: "thing",
    open: ({ restored, save }) => {
      const thing = { turns: typeof restored === "number" ? restored : 0 }
      save(() => thing.turns)
      return thing
    },
  })
  const use = () => kit.sessions.run("a", (thing) => ++thing.turns)
  await use()
  expect(inspected(kit.sessions).evictIdle(1, 0)).toBe(1)
  await kit.advance(0)
  expect(await use()).toBe(2)
})

test("one moment is told alike each time, although the wall clock tells whole milliseconds", async () => {
  const sessions = createSessions({ name: "moments", open: ({ key }) => ({ key }) })
  await sessions.run("a", () => 1)
  const inspection = inspected(sessions)
  const seen = new Set<number | undefined>()
  // The offset between the clocks is looked at once a second.
  for (let look = 0; look < 6; look++) {
    seen.add(inspection.find("a")?.openedAt)
    await new Promise((resolve) => setTimeout(resolve, 407))
  }
  expect(seen.size).toBe(1)
  await sessions.drain()
})
