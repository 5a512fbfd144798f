import { AsyncLocalStorage } from "node:async_hooks"
import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate, outcomeOf } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"

/** Whose request it is: must never be seen by what is not that caller's. */
const caller = new AsyncLocalStorage<string>()

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
  )

describe.each(faces)("$face", ({ world }) => {
  test("L19: the first caller's store is never seen in open, finalizer, listener, idle close or another's turn", async () => {
    const seen: Record<string, string | undefined> = {}
    const { clock, sessions } = world({ idleTimeout: 1000 }, async ({ onClose }) => {
      seen["open"] = caller.getStore()
      await settle()
      seen["open, later"] = caller.getStore()
      onClose(async () => {
        seen["finalizer"] = caller.getStore()
        await settle()
        seen["finalizer, later"] = caller.getStore()
      })
    })
    caller.run("listening", () => sessions.subscribe((event) => (seen[event._tag] = caller.getStore())))
    const first = caller.run("first", () => sessions.run("a", () => caller.getStore()))
    const second = caller.run("second", () => sessions.run("a", () => caller.getStore()))
    expect(await first).toBe("first")
    expect(await second).toBe("second")
    await clock.advance(1000)
    expect(sessions.explain("a").ended?.reason).toBe("Idle")
    expect(Object.keys(seen)).toEqual(
      expect.arrayContaining(["open, later", "finalizer, later", "Opened", "TaskEnded", "Closed"]),
    )
    for (const [where, store] of Object.entries(seen)) expect([where, store]).toEqual([where, undefined])
  })

  test("L19: a queued turn sees its own caller's store, not that of the turn before it, nor after a restart", async () => {
    const held = gate()
    const { sessions } = world()
    const first = caller.run("first", () => sessions.run("a", () => held.promise))
    await settle()
    const queued = ["second", "third"].map((name) =>
      caller.run(name, () =>
        sessions.run("a", async () => {
          const at = caller.getStore()
          await settle()
          return [at, caller.getStore()].join()
        }),
      ),
    )
    held.open()
    await first
    expect(await Promise.all(queued)).toEqual(["second,second", "third,third"])
    const other = gate()
    const running = caller.run("fourth", () =>
      sessions.run("a", (_, { signal }) => Promise.race([other.promise, aborted(signal)])),
    )
    const moved = caller.run("fifth", () => sessions.run("a", () => caller.getStore()))
    await settle()
    await caller.run("operator", () => sessions.restart("a"))
    expect(await outcomeOf(running)).toBe("TaskStopped Restarted")
    expect(await moved).toBe("fifth")
  })

  test("L19: who closes, cancels or replaces does not lend its store to the work it stops", async () => {
    const seen: Array<string | undefined> = []
    const { sessions } = world()
    const waits = (signal: AbortSignal): Promise<string> =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          seen.push(caller.getStore())
          resolve("stopped")
        })
      })
    const stops: ReadonlyArray<() => unknown> = [
      () => sessions.close("a"),
      () => sessions.restart("a"),
      () => sessions.cancel("a"),
      () => sessions.run("a", () => "newer", { whenBusy: "replace" }),
    ]
    for (const stop of stops) {
      const work = caller.run("owner", () => sessions.run("a", (_, task) => waits(task.signal)))
      void outcomeOf(work)
      await settle()
      await caller.run("other", stop)
      await settle()
    }
    expect(seen).toEqual(["owner", "owner", "owner", "owner"])
  })

  test("L19: who ends an opening or a lease does not lend its store either", async () => {
    const seen: Array<string | undefined> = []
    const never = gate()
    const { sessions } = world({}, ({ key, signal }) => {
      signal.addEventListener("abort", () => seen.push(caller.getStore()))
      return key === "slow" ? never.promise : undefined
    })
    void outcomeOf(sessions.run("slow", () => 1))
    await settle()
    void caller.run("other", () => sessions.close("slow"))
    never.open()
    await settle()
    expect(seen).toEqual([undefined])
    const lease = await caller.run("holder", () => sessions.lease("a"))
    caller.run("holder", () => lease.signal.addEventListener("abort", () => seen.push(caller.getStore())))
    await caller.run("other", () => sessions.close("a"))
    await settle()
    expect(seen).not.toContain("other")
  })

  test("L19: what a turn leaves behind keeps its own store; a later turn of another caller does not see it", async () => {
    const { clock, sessions } = world()
    const later = gate<string | undefined>()
    await caller.run("first", () =>
      sessions.run("a", () => {
        void clock.after(100).then(() => later.open(caller.getStore()))
      }),
    )
    expect(await caller.run("second", () => sessions.run("a", () => caller.getStore()))).toBe("second")
    expect(await sessions.run("a", () => caller.getStore())).toBeUndefined()
    await clock.advance(100)
    expect(await later.promise).toBe("first")
  })

  test("L16, L7: a listener is outside every task: what it hands in is nobody's nested call", async () => {
    const { clock, sessions } = world()
    const told: Array<string> = []
    sessions.subscribe((event) => {
      if (event._tag !== "TaskStarted" || event.task.name !== "outer") return
      void outcomeOf(sessions.run("a", () => "from the listener")).then((outcome) => told.push(outcome))
    })
    const held = gate()
    const outer = sessions.run("a", () => held.promise, { name: "outer" })
    await settle()
    held.open()
    await outer
    await clock.advance(0)
    expect(await outcomeOf(sessions.run("a", () => "after"))).toBe("value after")
    expect(told.every((outcome) => outcome !== "SessionMisuse ReentrantRun")).toBe(true)
    expect(sessions.snapshot().counts.queued).toBe(0)
  })
})
