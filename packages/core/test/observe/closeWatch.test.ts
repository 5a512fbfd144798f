import { createHook, type AsyncHook } from "node:async_hooks"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { watchTasksClosely } from "../../src/inspect.ts"
import { closeWatch } from "../../src/observe/closeWatch.ts"
import { gate, world } from "../support/ledger.ts"
import { inspect, taskNamed } from "../support/inspected.ts"
import { watch } from "../support/watch.ts"

const pulse = 500

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
})
afterEach(() => {
  vi.advanceTimersByTime(60_000)
  vi.useRealTimers()
  if (closeWatch.on) throw new Error("somebody still looks")
})

const running = async () => {
  const w = world({ concurrency: 9 })
  const over = gate()
  const start = (name: string, work: () => Promise<unknown>) =>
    watch(w.clock, w.sessions.run("a", work, { name }))
  const ends = { now: false }
  const told = [
    start("goes on", async () => {
      while (!ends.now) await w.clock.after(200)
    }),
    start("hangs", () => over.promise),
    start("calls", () =>
      w.sessions.run(
        "b",
        async () => {
          while (!ends.now) await w.clock.after(200)
        },
        { name: "called" },
      ),
    ),
  ]
  await w.clock.advance(5000)
  const of = inspect(w)
  const end = async () => {
    ends.now = true
    over.open()
    await w.clock.advance(1000)
    expect(told.map(({ outcome }) => outcome)).toEqual(told.map(() => "value undefined"))
  }
  return { ...w, of, end, names: ["goes on", "hangs", "calls", "called"] }
}

const untilAborted = async ({ clock }: ReturnType<typeof world>, signal: AbortSignal): Promise<never> => {
  while (!signal.aborted) await clock.after(100)
  throw new Error("stopped")
}

describe("a task of promises", () => {
  test("L16: while somebody looks closely, one that goes on is told from one that hangs, from then on", async () => {
    const { clock, end, names, of } = await running()
    const tasks = names.map((name) => taskNamed(of, name))
    const told = () => tasks.map(({ isSuspended, knownBy }) => [knownBy, isSuspended])
    expect(told()).toEqual(names.map(() => ["signs", undefined]))
    const looks = watchTasksClosely()
    // Nothing is known of what was before.
    expect(told()).toEqual(names.map(() => ["continuations", false]))
    expect(tasks.map(({ resumedAt }) => resumedAt)).toEqual(names.map(() => undefined))
    await clock.advance(10_000)
    expect(told().map(([, suspended]) => suspended)).toEqual([false, true, true, false])
    const [goesOn, hangs, calls, called] = tasks
    expect([hangs?.resumedAt, calls?.resumedAt]).toEqual([undefined, undefined])
    for (const task of [goesOn, called]) expect(task?.resumedAt).toBeGreaterThanOrEqual(15_000 - 200 - pulse)
    // It is not known from its start on.
    expect(tasks.map(({ resumes, suspendedMs }) => [resumes, suspendedMs])).toEqual(
      names.map(() => [undefined, undefined]),
    )
    looks[Symbol.dispose]()
    expect(told()).toEqual(names.map(() => ["signs", undefined]))
    expect(goesOn?.resumedAt).toBeUndefined()
    await end()
    expect([...of.recent()].map(({ resumes, suspendedMs }) => [resumes, suspendedMs])).toEqual(
      names.map(() => [undefined, undefined]),
    )
  })

  test("L16: it ends by itself, a later look begins anew, and several share it", async () => {
    const { clock, end, of } = await running()
    const task = taskNamed(of, "hangs")
    watchTasksClosely({ for: "2 seconds" })
    expect(task.isSuspended).toBe(false)
    await clock.advance(3000)
    expect(task.isSuspended).toBe(true)
    vi.advanceTimersByTime(1999)
    expect(task.knownBy).toBe("continuations")
    vi.advanceTimersByTime(1)
    expect([task.knownBy, task.isSuspended]).toEqual(["signs", undefined])
    const one = watchTasksClosely()
    const other = watchTasksClosely({ for: "1 hour" })
    // What was seen another time is over.
    expect([task.knownBy, task.isSuspended]).toEqual(["continuations", false])
    one[Symbol.dispose]()
    one[Symbol.dispose]()
    expect(task.knownBy).toBe("continuations")
    vi.advanceTimersByTime(60_000)
    expect(task.knownBy).toBe("signs")
    other[Symbol.dispose]()
    await end()
  })

  test("L19: it listens to nobody's context but its own, and takes nobody's hooks away", async () => {
    const { clock, end } = await running()
    let inits = 0
    const hooks = Object.getPrototypeOf(createHook({})) as AsyncHook
    const [enables, disables] = [vi.spyOn(hooks, "enable"), vi.spyOn(hooks, "disable")]
    const theirs = createHook({ init: () => void inits++ }).enable()
    const looks = watchTasksClosely()
    await clock.advance(1000)
    looks[Symbol.dispose]()
    const before = inits
    await clock.advance(1000)
    expect(inits).toBeGreaterThan(before)
    // Theirs, and ours, which is off again.
    expect([enables.mock.calls.length, disables.mock.calls.length]).toEqual([2, 1])
    vi.restoreAllMocks()
    theirs.disable()
    await end()
  })

  test("L21: of a task that is over nothing is kept or told", async () => {
    const { clock, end, of, sessions } = await running()
    const looks = watchTasksClosely()
    const left = sessions.run(
      "c",
      () => {
        void clock.after(100).then(() => clock.after(100))
        return Promise.resolve()
      },
      { name: "leaves" },
    )
    await clock.advance(50)
    await left
    await clock.advance(1000)
    expect([...of.recent()][0]).toMatchObject({ name: "leaves", resumes: undefined })
    looks[Symbol.dispose]()
    await end()
  })

  test("L21: of a run that begins once more nothing of the first is told", async () => {
    const w = world()
    const looks = watchTasksClosely()
    let lose: ((cause: unknown) => void) | undefined
    const over = gate()
    const again = watch(
      w.clock,
      w.sessions.run(
        "a",
        ({ opening, serial }, { signal }) => {
          lose = opening.broken
          return serial > 1 ? over.promise : untilAborted(w, signal)
        },
        { name: "again", idempotent: true },
      ),
    )
    await w.clock.advance(1000)
    const task = taskNamed(inspect(w), "again")
    expect(task.resumedAt).toBeGreaterThan(0)
    lose?.("gone")
    await w.clock.advance(100)
    expect([task.state, task.knownBy, task.resumedAt]).toEqual(["running", "continuations", undefined])
    looks[Symbol.dispose]()
    over.open()
    await w.clock.advance(0)
    expect(again.outcome).toBe("value undefined")
  })

  test.each([[{ for: 0 }], [{ for: "soon" }], [{ time: 1 }]])("a wrong option is told: %o", (options) => {
    expect(() => watchTasksClosely(options as never)).toThrow(
      expect.objectContaining({ reason: "InvalidOption" }),
    )
  })
})
