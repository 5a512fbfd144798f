/** What a random schedule found too rarely for its seed to be run every time, by hand. */
import { expect, test } from "vitest"
import { gate, outcomeOf, world } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"

test("L7 L22: a call made by a turn after it was told to stop ends when their session closes, not at its grace", async () => {
  const { clock, sessions } = world({ timeouts: { grace: 800 } })
  const told = new AbortController()
  const [stopped, held] = [gate(), gate()]
  const nested: Array<Promise<unknown>> = []
  const holder = sessions.run("a", () => held.promise)
  const beside = sessions.run(
    "a",
    async () => {
      await stopped.promise
      nested.push(sessions.run("a", () => "never"))
      await nested[0]?.catch(() => {})
    },
    { whenBusy: "overlap", signal: told.signal },
  )
  await settle()
  told.abort("gone")
  stopped.open()
  expect(await outcomeOf(beside)).toBe("error gone")
  await settle()
  const restarted = sessions.restart("a")
  held.open()
  await clock.advance(0)
  expect(await outcomeOf(nested[0] ?? Promise.resolve("not made"))).toBe("TaskStopped CallerStopped")
  expect(await outcomeOf(holder)).toBe("value undefined")
  expect(await restarted).toMatchObject({ reason: "Restarted", leaked: false })
  expect(clock.now).toBe(0)
})
