/**
 * Where workers behind a synchronous bridge (synckit 0.12.3) and in a pool (piscina 5.3.2) fail those who keep sessions in
 * them: a thread that exits, and one that spins. Measured, not run here: after an exit every later call of synckit
 * fails; a task behind a spinning thread of piscina does not begin. The threads of these tests are real, the time is not.
 */
import { once } from "node:events"
import { describe, expect, test } from "vitest"
import { faces, type Face } from "../support/faces.ts"
import type { Policy, Thing } from "../support/ledger.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { watch, type Watched } from "../support/watch.ts"
import { Thread } from "./Thread.ts"
import { told, until } from "./told.ts"

const threadsOver = (world: Face["world"], policy: Policy = {}) => {
  const clock = new VirtualClock()
  const threads = new Map<number, Thread>()
  const w = world(
    policy,
    ({ broken, onClose, serial }) => {
      const thread = new Thread()
      threads.set(serial, thread)
      void thread.exited.then((code) => broken(new Error(`the thread exited with ${code}`)))
      onClose(() => thread.worker.terminate())
    },
    clock,
  )
  const threadOf = ({ serial }: Pick<Thing, "serial">): Thread => {
    const thread = threads.get(serial)
    if (thread === undefined) throw new Error(`no thread ${serial}`)
    return thread
  }
  /** Says a word to the key's thread; the value is the serial of what answered. */
  const say = (key: string, word = "hello"): Watched =>
    watch(
      clock,
      w.sessions.run(key, async (thing) => {
        await threadOf(thing).hear(word)
        return thing.serial
      }),
    )
  return { ...w, threads, threadOf, say }
}

/** What waits for an answer that nobody gives. */
const never = new Promise<never>(() => {})

/** Drained while virtual time stands still: every thread is really gone. What was abandoned stays counted as leaked. */
const expectNoThreadLeft = async (w: ReturnType<typeof threadsOver>, leaked = 0): Promise<void> => {
  await told(watch(w.clock, w.sessions.drain({ finishWithin: 0 })))
  expect(w.sessions.snapshot().counts).toMatchObject({ Ready: 0, Closing: 0, running: 0, leaked })
  expect([...w.threads.values()].every(({ gone }) => gone)).toBe(true)
}

describe.each(faces)("$face: a thread that exits", ({ world }) => {
  test("L11: between calls: the next call is served by a new one, and so is every later one", async () => {
    const w = threadsOver(world, { restart: { delay: 0 } })
    for (let serial = 1; serial <= 4; serial++) {
      expect(await told(w.say("a"))).toEqual([`value ${serial}`])
      const thread = w.threadOf({ serial })
      thread.send("exit")
      expect(await thread.exited).toBe(7)
    }
    expect(await told(w.say("a"))).toEqual(["value 5"])
    expect(w.story().filter((line) => line === "Closed Broken")).toHaveLength(4)
    await expectNoThreadLeft(w)
  })

  /** A call that makes its thread exit, one that waits behind it, and another key's. */
  const inTheMiddle = async (
    w: ReturnType<typeof threadsOver>,
    then: (thread: Thread) => Promise<unknown>,
  ) => {
    let begun = 0
    const cut = watch(
      w.clock,
      w.sessions.run("a", async (thing) => {
        begun++
        await w.threadOf(thing).hear("exit")
        return then(w.threadOf(thing))
      }),
    )
    const waiting = w.say("a")
    expect(await told(w.say("b"))).toEqual(["value 2"])
    await w.threadOf({ serial: 1 }).exited
    return { cut, waiting, begun: () => begun }
  }

  test("L11, L12: in the middle of a call: that one is told and never run again, what waits is served by a new one", async () => {
    const w = threadsOver(world)
    const { cut, waiting, begun } = await inTheMiddle(w, (thread) => thread.hear("hello"))
    expect(await told(cut, waiting)).toEqual(["TaskStopped Broken", "value 3"])
    expect([cut.at, waiting.at, begun()]).toEqual([0, 0, 1])
    await expectNoThreadLeft(w)
  })

  test("L12, L13: in the middle of a call that waits for its answer for ever: told after grace, the key goes on after close", async () => {
    const w = threadsOver(world, { timeouts: { grace: 1000, close: 3000 } })
    const { cut, waiting, begun } = await inTheMiddle(w, () => never)
    await w.clock.advance(4000)
    expect(await told(cut, waiting)).toEqual(["TaskStopped Broken", "value 3"])
    expect([cut.at, waiting.at, begun()]).toEqual([1000, 4000, 1])
    await expectNoThreadLeft(w, 1)
  })
})

describe.each(faces)("$face: a thread that spins", ({ world }) => {
  const timeouts = { silence: 2000, grace: 1000, close: 3000 }
  /** A turn that spins its thread for ever, once it does. */
  const spinning = async (w: ReturnType<typeof threadsOver>, call: () => Promise<unknown>) => {
    const running = watch(w.clock, call())
    const next = w.say("a")
    await until(() => w.sessions.explain("a").tasks[0]?.note === "spins")
    // Other keys never wait.
    expect(await told(w.say("b"), w.say("c"))).toEqual(["value 2", "value 3"])
    expect([running.outcome, next.outcome]).toEqual(["pending", "pending"])
    return { running, next }
  }
  const expectGone = async (w: ReturnType<typeof threadsOver>, leaked = 0): Promise<void> => {
    expect(await w.threadOf({ serial: 1 }).exited).toBe(1)
    expect([2, 3, 4].map((serial) => w.threadOf({ serial }).gone)).toEqual([false, false, false])
    await expectNoThreadLeft(w, leaked)
  }

  test("L13, L11: told to stop for its silence, its task says broken: the thread is terminated, the next call gets a new one", async () => {
    const w = threadsOver(world, { timeouts })
    const { running, next } = await spinning(w, () =>
      w.sessions.run("a", async (thing, { broken, progress, signal }) => {
        await w.threadOf(thing).hear("spin")
        progress("spins")
        await once(signal, "abort")
        broken(new Error("no answer"))
        throw signal.reason
      }),
    )
    await w.clock.advance(timeouts.silence)
    expect([await told(running), running.at]).toEqual([["TaskStopped Silent"], 2000])
    expect([await told(next), next.at]).toEqual([["value 4"], 2000])
    expect(w.story()).toContain("Closed Broken")
    await expectGone(w)
  })

  test("L13: a task that hears nothing is abandoned after grace, and the thread is terminated all the same", async () => {
    const w = threadsOver(world, { timeouts })
    const { running, next } = await spinning(w, () =>
      w.sessions.run("a", async (thing, { progress }) => {
        await w.threadOf(thing).hear("spin")
        progress("spins")
        await never
      }),
    )
    await w.clock.advance(timeouts.silence + timeouts.grace)
    expect([await told(running), running.at]).toEqual([["TaskStopped Silent"], 3000])
    expect(await w.threadOf({ serial: 1 }).exited).toBe(1)
    // The abandoned work has not ended, so the next one waits for the close deadline.
    await w.clock.advance(timeouts.close)
    expect(await told(next)).toEqual(["value 4"])
    expect(w.story()).toContain("Closed Unresponsive")
    await expectGone(w, 1)
  })

  test("L5, L6: its caller's own timeout tells the caller at once; who needs the thread has a new one after grace and close", async () => {
    const w = threadsOver(world, { timeouts: { ...timeouts, silence: "Infinity" } })
    const { running, next } = await spinning(w, () =>
      w.sessions.run(
        "a",
        async (thing, { progress }) => {
          await w.threadOf(thing).hear("spin")
          progress("spins")
          await never
        },
        { timeout: 500 },
      ),
    )
    await w.clock.advance(500)
    expect([await told(running), running.at]).toEqual([["TaskStopped Timeout"], 500])
    await w.clock.advance(timeouts.grace + timeouts.close)
    expect(await told(next)).toEqual(["value 4"])
    await expectGone(w, 1)
  })
})
