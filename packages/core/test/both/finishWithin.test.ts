import { describe, expect, test } from "vitest"
import { busyWorld } from "../support/busy.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { fieldOf, watch } from "../support/watch.ts"

const timeouts = { silence: 60_000, grace: 1000, close: 3000 }

describe.each(faces)("$face", ({ world }) => {
  const busy = () => busyWorld(world, { timeouts })

  test("L12: restart with time to finish: what runs may end, what waits moves on, who comes later too", async () => {
    const it = await busy()
    const restarted = watch(it.clock, it.sessions.restart("a", { finishWithin: 5000 }))
    const late = watch(
      it.clock,
      it.sessions.run("a", ({ serial }) => serial),
    )
    await it.clock.advance(2000)
    it.held.open()
    await it.clock.advance(0)
    expect([it.first, ...it.waiting, late].map((run) => run.outcome)).toEqual([
      "value undefined",
      "value 2",
      "value 3",
      "value 2",
    ])
    expect(it.starts).toEqual(["first on 1", "second on 2", "third on 2"])
    expect(restarted.at).toBe(2000)
  })

  test.each(["close", "restart"] as const)(
    "L12, L24: %s with time to finish: nothing new begins on the old one, also where a slot is free",
    async (verb) => {
      const { clock, sessions } = world({ timeouts, concurrency: 2 })
      const held = gate()
      const first = sessions.run("a", () => held.promise)
      await settle()
      void sessions[verb]("a", { finishWithin: 5000 })
      const later = (["queue", "overlap"] as const).map((whenBusy) =>
        watch(
          clock,
          sessions.run("a", ({ serial }) => serial, { whenBusy }),
        ),
      )
      const lease = watch(
        clock,
        sessions.lease("a").then(({ session }) => session.serial),
      )
      await clock.advance(100)
      expect([...later, lease].map((one) => one.outcome)).toEqual(["pending", "pending", "pending"])
      held.open()
      await first
      await clock.advance(0)
      expect([...later, lease].map((one) => one.outcome)).toEqual(["value 2", "value 2", "value 2"])
    },
  )

  test("L12, L5: the time to finish is over: what runs is stopped, and told so", async () => {
    const it = await busy()
    void it.sessions.restart("a", { finishWithin: 5000 })
    await it.clock.advance(6000)
    expect([it.first.outcome, it.first.at, fieldOf(it.first, "abandoned")]).toEqual([
      "TaskStopped Restarted",
      6000,
      true,
    ])
    await it.clock.advance(3000)
    expect(it.waiting.map((run) => run.outcome)).toEqual(["value 2", "value 3"])
  })
})
