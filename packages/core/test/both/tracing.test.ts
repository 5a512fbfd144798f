import { describe, expect, test } from "vitest"
import type { Opening, Task } from "../../src/Sessions.ts"
import type { SessionKey } from "../../src/SessionKey.ts"
import { keyHash } from "../../src/keyHash.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy } from "../support/ledger.ts"
import { SpanRecorder } from "../support/SpanRecorder.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const timeouts = { silence: 10_000, grace: 1000, close: 3000, queue: 5000, seat: 500, open: 2000 }
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
const secret = "alice@example.org"
/** What a host would have made of a request. */
const request = {
  subject: "task",
  session: undefined,
  attributes: {},
  root: true,
  cause: undefined,
  lent: undefined,
} as const

describe.each(faces)("$face", ({ face, world }) => {
  const traced = (policy: Policy = {}, before?: (opening: Opening) => unknown) => {
    const w = world({ timeouts, idleTimeout: "Infinity", ...policy }, before)
    const recorder = new SpanRecorder()
    recorder.trace(w.registry)
    const name = w.registry.name
    /** Lines without the registry's name. */
    const lines = (): ReadonlyArray<string> => recorder.lines.map((line) => line.replace(` ${name}`, ""))
    const run = (work: (task: Task) => unknown, options = {}, key: SessionKey = "a") =>
      watch(
        w.clock,
        w.sessions.run(key, (_, task) => work(task), options),
      )
    const span = (index: number) => {
      const found = recorder.spans[index]
      if (found === undefined) throw new Error(`There is no span ${index}.`)
      return found
    }
    return { ...w, lines, name, recorder, run, span }
  }

  test("first uses: both turns are linked to the one opening, and that to the first of them", async () => {
    const w = traced({}, () => w.clock.after(30))
    const first = w.run(() => 1, { name: "first" })
    await w.clock.advance(10)
    const second = w.run(() => 2, { name: "second" })
    await w.clock.advance(100)
    expect([first.outcome, second.outcome]).toEqual(["value 1", "value 2"])
    expect(w.lines()).toEqual(["first succeeded", "open succeeded", "second succeeded"])
    const [one, open, two] = [w.span(0), w.span(1), w.span(2)]
    expect([one.linked, open.linked, two.linked]).toEqual([[1], [0], [1]])
    expect(open.attributes).toEqual({
      "sojourn.registry": w.name,
      "sojourn.session.hash": keyHash("a"),
      "sojourn.generation.number": 1,
      "sojourn.generation.serial": 1,
      "sojourn.outcome": "succeeded",
    })
    expect(two.attributes).toEqual({
      "sojourn.registry": w.name,
      "sojourn.session.hash": keyHash("a"),
      "sojourn.task.id": "t2",
      "sojourn.task.name": "second",
      "sojourn.task.kind": "turn",
      "sojourn.task.queue_ms": 20,
      "sojourn.generation.number": 1,
      "sojourn.generation.serial": 1,
      "sojourn.outcome": "succeeded",
    })
    expect(two.events).toEqual(["started"])
    expect(two.ended).toEqual({ outcome: "succeeded", failure: undefined })
    // A warm turn waited for nothing.
    const warm = w.run(() => 3)
    await settle()
    expect([warm.outcome, w.span(3).linked, w.span(3).attributes["sojourn.task.queue_ms"]]).toEqual([
      "value 3",
      [],
      0,
    ])
    await expectNothingLeft(w)
    expect(w.lines().slice(4)).toEqual(["close succeeded Drained"])
  })

  test("a queued turn is told apart from a running one by its event and its queue time", async () => {
    const w = traced()
    const held = gate()
    w.run(() => held.promise, { name: "held" })
    await settle()
    const queued = w.run(() => 1, { name: "queued" })
    await w.clock.advance(700)
    expect(w.span(2).events).toEqual([])
    held.open()
    await settle()
    expect([queued.outcome, w.span(2).attributes["sojourn.task.queue_ms"], w.span(2).events]).toEqual([
      "value 1",
      700,
      ["started"],
    ])
  })

  test("the key and the text of an error are nowhere in a span, only what kind of error it was", async () => {
    class NoSuchRow extends Error {}
    const w = traced()
    const key = { owner: secret, id: "private" }
    const outcomes = [
      () => Promise.reject(new NoSuchRow(secret)),
      () => Promise.reject({ _tag: "Declined", why: secret }),
      () => Promise.reject(secret),
    ].map((work) => w.run(work, {}, key))
    await settle()
    expect(outcomes.map(({ outcome }) => outcome.split(" ")[0])).toEqual(["error", "Declined", "error"])
    const failed = w.recorder.of("task")
    expect(failed.map(({ ended }) => ended)).toEqual(
      ["NoSuchRow", "Declined", "string"].map((failure) => ({ outcome: "failed", failure })),
    )
    expect(failed.map(({ attributes }) => attributes["error.type"])).toEqual([
      "NoSuchRow",
      "Declined",
      "string",
    ])
    for (const { attributes, events, name } of w.recorder.spans) {
      const shown = JSON.stringify([attributes, events, name])
      expect(shown).not.toContain("alice")
      expect(shown).not.toContain("private")
      expect(shown).toContain(keyHash(key))
    }
    await expectNothingLeft(w)
  })

  test("what another session refused is the task's own failure, without a reason of ours", async () => {
    const w = traced()
    const nested = w.run(() => w.sessions.run("b", () => 1, { name: "nested", mustExist: true }))
    await settle()
    expect([nested.outcome, ...w.lines()]).toEqual([
      "SessionRefused NotFound",
      "run failed",
      "open succeeded",
      "nested rejected NotFound",
    ])
    expect(w.span(0).ended?.failure).toBe("SessionRefused")
  })

  test("an opening is linked to who was there first, a lease or a turn", async () => {
    const w = traced({ maxSessions: 1 })
    const held = gate()
    w.run(() => held.promise, {}, "other")
    await settle()
    const lease = w.sessions.lease("a")
    w.run(() => 1, { name: "turn" })
    await settle()
    held.open()
    await w.clock.advance(100)
    await (await lease).release()
    expect(w.lines()).toEqual([
      "run succeeded",
      "open succeeded",
      "lease succeeded",
      "turn succeeded",
      "close succeeded Evicted",
      "open succeeded",
    ])
    expect(w.span(5).linked).toEqual([2])
    expect([w.span(2).linked, w.span(3).linked]).toEqual([[5], [5]])
    await expectNothingLeft(w)
  })

  test("L5: cancelled by its caller it is told at once, and its span goes on until its work has ended", async () => {
    const w = traced()
    const gone = new AbortController()
    const left = w.run(() => w.clock.after(400), { signal: gone.signal })
    await w.clock.advance(100)
    gone.abort(new Error("gone"))
    await w.clock.advance(0)
    expect([left.outcome, w.span(0).ended, w.span(0).events]).toEqual([
      "error gone",
      undefined,
      ["started", "told cancelled Cancelled"],
    ])
    await w.clock.advance(400)
    expect(w.span(0).ended).toEqual({ outcome: "cancelled", failure: undefined })
    expect(w.recorder.late).toEqual([])
  })

  test("timeouts: of a turn that runs, of one that waits, and of the queue", async () => {
    const w = traced({ timeouts: { ...timeouts, silence: "Infinity" } })
    w.run(() => w.clock.after(20_000), { name: "held" })
    await settle()
    const inTime = w.run(() => 1, { name: "waiting", timeout: 300 })
    const queued = w.run(() => 1, { name: "queued" })
    await w.clock.advance(5000)
    expect([inTime.outcome, queued.outcome]).toEqual(["TaskStopped Timeout", "SessionRefused QueueTimeout"])
    expect(w.lines().slice(2)).toEqual(["waiting timedOut Timeout", "queued rejected QueueTimeout"])
    expect(w.recorder.of("task").map(({ ended }) => ended?.failure)).toEqual([
      undefined,
      "TaskStopped",
      "SessionRefused",
    ])
    // What never started has no generation and no queue time.
    expect(w.span(3).attributes).not.toHaveProperty("sojourn.generation.serial")
    expect(w.span(3).attributes).not.toHaveProperty("sojourn.task.queue_ms")
  })

  test("L13 L21: abandoned, it ends when its caller is told, says so, and never ends again", async () => {
    const w = traced()
    const held = gate()
    const hung = w.run(() => held.promise)
    await w.clock.advance(11_000)
    expect([hung.outcome, w.span(0).line, w.span(0).events]).toEqual([
      "TaskStopped Silent",
      `run ${w.name} timedOut Silent`,
      ["started", "abandoned"],
    ])
    expect(w.span(0).attributes["sojourn.task.abandoned"]).toBe(true)
    await w.clock.advance(4000)
    held.open()
    await w.clock.advance(10_000)
    await expectNothingLeft(w)
    expect([w.recorder.late, w.recorder.open]).toEqual([[], []])
    expect(w.lines().filter((line) => line.startsWith("close"))).toEqual(["close leaked Unresponsive"])
  })

  test("what is refused has a span too, with the reason", async () => {
    const w = traced({ maxQueued: 1 })
    const gone = AbortSignal.abort(new Error("gone"))
    w.run(() => 1, { name: "gone", signal: gone })
    w.run(() => 1, { name: "absent", mustExist: true })
    w.run(() => 1, { name: "keyless" }, "")
    const held = gate()
    w.run(() => held.promise, { name: "held" })
    await settle()
    w.run(() => 1, { name: "queued" })
    w.run(() => 1, { name: "busy", whenBusy: "reject" })
    w.run(() => 1, { name: "full" })
    held.open()
    await settle()
    await expectNothingLeft(w)
    w.run(() => 1, { name: "late" })
    await settle()
    const expected = [
      "absent rejected NotFound",
      "keyless rejected InvalidKey",
      "held succeeded",
      "open succeeded",
      "queued succeeded",
      "busy rejected Busy",
      "full rejected MaxQueued",
      "close succeeded Drained",
      "late rejected Draining",
    ]
    // On the Effect face a signal is an interruption, and there is nothing left to hand in.
    expect(w.lines().filter((line) => !line.startsWith("gone"))).toEqual(expected)
    const keyless = w.recorder.spans.find(({ name }) => name.startsWith("keyless"))
    expect(keyless?.attributes).not.toHaveProperty("sojourn.session.hash")
    expect(keyless?.attributes["error.type"]).toBe("SessionMisuse")
  })

  test("L11 L12: broken, the close is linked to the turn that found it, the next opening to the one that waits", async () => {
    const w = traced({ restart: { delay: 0 } })
    const finder = w.run(
      (task) => {
        task.broken(new TypeError(secret))
        return w.clock.after(50)
      },
      { name: "finder" },
    )
    const waits = w.run(() => 2, { name: "waits" })
    await w.clock.advance(1000)
    expect([finder.outcome, waits.outcome]).toEqual(["value undefined", "value 2"])
    expect(w.lines()).toEqual([
      "finder succeeded",
      "open succeeded",
      "waits succeeded",
      "close succeeded Broken",
      "open succeeded",
    ])
    expect([w.span(3).linked, w.span(4).linked]).toEqual([[0], [2]])
    // It waited for both.
    expect(w.span(2).linked).toEqual([1, 4])
    expect(w.span(2).attributes["sojourn.generation.serial"]).toBe(2)
    await expectNothingLeft(w)
  })

  test("L12: one that is run once more has two starts and one end", async () => {
    const w = traced({ restart: { delay: 0 } })
    const openings: Array<Opening> = []
    const replayed = watch(
      w.clock,
      w.sessions.run(
        "a",
        ({ opening, serial }, { signal }) => {
          openings.push(opening)
          return serial === 1 ? untilStopped(signal) : serial
        },
        { idempotent: true },
      ),
    )
    await w.clock.advance(100)
    openings[0]?.broken()
    await w.clock.advance(100)
    expect([replayed.outcome, w.span(0).attributes["sojourn.task.queue_ms"]]).toEqual(["value 2", 0])
    expect([w.span(0).events, w.span(0).ended?.outcome]).toEqual([
      ["started", "started again 2 2"],
      "succeeded",
    ])
    expect(w.recorder.late).toEqual([])
  })

  test("L10: an opening that fails, one out of time, and one nobody waits for", async () => {
    const ends = [
      () => Promise.reject(new RangeError(secret)),
      () => w.clock.after(60_000),
      () => w.clock.after(60_000),
    ]
    const w = traced({ restart: { delay: 0, times: 100 } }, () => ends.shift()?.())
    const fails = w.run(() => 1)
    await w.clock.advance(10)
    const slow = w.run(() => 1)
    await w.clock.advance(20_000)
    const gone = new AbortController()
    const leaves = w.run(() => 1, { signal: gone.signal })
    await w.clock.advance(100)
    gone.abort(new Error("gone"))
    await w.clock.advance(100)
    expect([fails.outcome, slow.outcome, leaves.outcome]).toEqual([
      "SessionOpenFailed Failed",
      "SessionOpenFailed TimedOut",
      "error gone",
    ])
    const opens = w.recorder.of("open")
    expect(opens.map(({ line }) => line.replace(` ${w.name}`, ""))).toEqual([
      "open failed",
      "open timedOut",
      "open cancelled OpenCancelled",
    ])
    expect(opens.map(({ ended }) => ended?.failure)).toEqual(["RangeError", "SessionOpenFailed", undefined])
    const tasks = w.recorder.of("task")
    expect(tasks.slice(0, 2).map(({ linked }) => linked)).toEqual(
      opens.slice(0, 2).map(({ number }) => [number]),
    )
    expect(tasks[0]?.ended).toEqual({ outcome: "rejected", failure: "SessionOpenFailed" })
    expect(JSON.stringify(opens.map(({ attributes, ended }) => [attributes, ended]))).not.toContain("alice")
    await w.clock.advance(120_000)
    await expectNothingLeft(w)
    expect([w.recorder.open, w.recorder.late]).toEqual([[], []])
    // A layer's scope has to be closed even when it is empty.
    expect(w.recorder.of("close").length).toBe(face === "Promise face" ? 0 : 3)
  })

  test("a lease has a span until it is granted, and its turns have their own", async () => {
    const w = traced({}, () => w.clock.after(40))
    const granted = w.sessions.lease("a", { name: "socket" })
    await w.clock.advance(100)
    const lease = await granted
    await lease.run(() => 1, { name: "beat" })
    await lease.release()
    await expect(lease.run(() => 1, { name: "late" })).rejects.toMatchObject({ reason: "LeaseEnded" })
    expect(w.lines()).toEqual([
      "socket succeeded",
      "open succeeded",
      "beat succeeded",
      "late rejected LeaseEnded",
    ])
    expect(w.span(0).attributes).toMatchObject({
      "sojourn.task.kind": "lease",
      "sojourn.task.queue_ms": 40,
      "sojourn.generation.serial": 1,
    })
    expect(w.span(0).linked).toEqual([1])
    await expectNothingLeft(w)
  })

  test("L19: a task runs in its own span, as a child of its caller's; an open, a finalizer and a probe in theirs", async () => {
    const seen: Record<string, number | undefined> = {}
    const w = traced({}, async (opening) => {
      const see = async (where: string): Promise<void> => {
        const at = w.recorder.current.getStore()
        await w.clock.after(1)
        expect(w.recorder.current.getStore()).toBe(at)
        seen[where] = at?.number
      }
      opening.onClose(() => see("finalizer"))
      opening.probe(() => see("check").then(() => true), { trustFor: 100 })
      await see("open")
    })
    const here = (where: string) => () => void (seen[where] = w.recorder.current.getStore()?.number)
    const inner = world()
    w.recorder.trace(inner.registry)
    w.recorder.start({ ...request, name: "request" }, () => {
      w.run(
        async () => {
          here("task")()
          await inner.sessions.run("b", here("nested"), { name: "nested" })
          here("task, later")()
        },
        { name: "task" },
      )
      w.run(here("queued"), { name: "queued" })
    })
    await w.clock.advance(500)
    await inner.clock.advance(500)
    await w.clock.advance(500)
    w.run(() => 1, { name: "late" })
    await w.clock.advance(500)
    await expectNothingLeft(w)
    const own = w.recorder.spans.filter(({ subject }) => subject !== "task")
    expect(own.map(({ started }) => started.root)).toEqual([true, true, true, true])
    expect(w.span(1).started.root).toBe(false)
    expect(w.recorder.spans.map(({ endedIn }) => endedIn)).toEqual(w.recorder.spans.map(() => undefined))
    const spans = w.recorder.spans.map(({ name, number, parent }) => [
      name.split(" ")[0],
      number,
      parent?.number,
    ])
    expect(spans).toEqual([
      ["request", 0, undefined],
      ["task", 1, 0],
      ["open", 2, undefined],
      ["queued", 3, 0],
      ["nested", 4, 1],
      ["open", 5, undefined],
      ["late", 6, undefined],
      ["probe", 7, undefined],
      ["close", 8, undefined],
    ])
    expect(seen).toEqual({
      open: 2,
      task: 1,
      nested: 4,
      "task, later": 1,
      queued: 3,
      check: 7,
      finalizer: 8,
    })
  })

  test("L19: what comes after the end of an opening or a close is in no span, and nothing keeps one that has ended", async () => {
    const openings: Array<Opening> = []
    const seen: Array<number | undefined> = []
    const w = traced({ idleTimeout: 1000 }, (opening) => {
      openings.push(opening)
      opening.probe(() => true, { trustFor: "Infinity" })
    })
    w.run(() => 1)
    await w.clock.advance(10)
    const generation = w.registry.sessions.get("a")?.generation
    expect(generation?.phase).toBe("live")
    expect(generation?.cold?.openTrace).toBeUndefined()
    const frame = generation?.cold?.openFrame
    expect(frame?.trace).toBeUndefined()
    await w.clock.advance(1000)
    expect(w.lines().at(-1)).toBe("close succeeded Idle")
    openings[0]?.onClose(() => void seen.push(w.recorder.current.getStore()?.number))
    await settle()
    expect(seen).toEqual([undefined])
    await expectNothingLeft(w)
  })

  test("background work is a child of its turn, and outlives it", async () => {
    const w = traced()
    let within: number | undefined
    const turn = watch(
      w.clock,
      w.sessions.run(
        "a",
        (_, { background }) =>
          background("tidy", async () => {
            await w.clock.after(300)
            within = w.recorder.current.getStore()?.number
          }),
        { name: "turn" },
      ),
    )
    await w.clock.advance(100)
    expect(turn.outcome).toBe("value true")
    expect(w.lines()).toEqual(["turn succeeded", "open succeeded", "tidy open"])
    expect([w.span(2).parent?.number, w.span(2).attributes["sojourn.task.kind"]]).toEqual([0, "background"])
    await w.clock.advance(300)
    expect([w.span(2).ended?.outcome, within]).toEqual(["succeeded", 2])
    await expectNothingLeft(w)
  })

  test("L16: what the tracer throws is counted, and keeps nothing from being done", async () => {
    const w = traced()
    w.recorder.called = () => {
      throw new Error("The tracer is broken.")
    }
    const run = w.run(() => 1)
    await settle()
    expect(run.outcome).toBe("value 1")
    await expectNothingLeft(w)
    expect(w.registry.events.listenerErrors).toBeGreaterThan(2)
    expect(w.registry.monitor.defects).toBe(0)
  })

  test("L16: a tracer that throws at all else is told of every end", async () => {
    const w = traced()
    w.recorder.called = (what) => {
      if (what !== "start" && what !== "end") throw new Error("The tracer is broken.")
    }
    const held = gate()
    const hung = w.run(() => held.promise)
    await w.clock.advance(20_000)
    expect(hung.outcome).toBe("TaskStopped Silent")
    held.open()
    await expectNothingLeft(w)
    expect([w.recorder.open, w.recorder.spans.length]).toEqual([[], 3])
  })

  test("L16 L20: a tracer that calls back in meets every step done or not begun", async () => {
    const w = traced({ concurrency: 2 })
    let depth = 0
    const called: Array<Promise<unknown>> = []
    const verbs = [
      () => w.sessions.run("a", () => 1),
      () => w.sessions.run("b", () => 1),
      () => w.sessions.restart("a"),
      () => w.sessions.close("b"),
      () => w.sessions.cancel("a"),
    ]
    w.recorder.called = () => {
      // Only from the first level, or it would never end.
      if (depth > 0 || called.length > 200) return
      depth++
      const verb = verbs[called.length % verbs.length]
      if (verb !== undefined) called.push(Promise.resolve(verb()).catch(() => {}))
      w.registry.steps.commit()
      depth--
    }
    for (let count = 0; count < 30; count++) {
      w.run(() => w.clock.after(5))
      await w.clock.advance(3)
    }
    await w.clock.advance(10_000)
    await Promise.all(called)
    await expectNothingLeft(w)
    expect(called.length).toBeGreaterThan(100)
    expect([w.recorder.late, w.recorder.open, w.registry.monitor.defects]).toEqual([[], [], 0])
  })

  test("no longer traced: what is under way ends its span, what comes has none", async () => {
    const w = traced()
    const held = gate()
    w.run(() => held.promise, { name: "before" })
    await settle()
    w.registry.tracing = undefined
    w.run(() => 1, { name: "after" })
    held.open()
    await settle()
    await expectNothingLeft(w)
    expect(w.lines()).toEqual(["before succeeded", "open succeeded"])
  })

  test("names of others are bounded, in length and in number", async () => {
    const w = traced()
    const hostile = `\u001b[31m<script>${"x".repeat(100)}\u202e`
    w.run(() => 1, { name: hostile })
    for (let count = 0; count < 100; count++) w.run(() => 1, { name: `name ${count}` })
    await w.clock.advance(100)
    const [first] = w.recorder.of("task")
    expect(first?.name).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(first?.attributes["sojourn.task.name"]).toMatch(/^\?\[31m<script>x{20,}$/)
    expect(first?.name.length).toBeLessThan(200)
    const names = new Set(w.recorder.of("task").map(({ name }) => name))
    expect([names.size, names.has(`other ${w.name}`)]).toEqual([51, true])
    await expectNothingLeft(w)
  })
})
