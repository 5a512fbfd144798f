import { describe, expect, test } from "vitest"
import { SessionMisuse } from "../../src/errors.ts"
import type { ProbeOptions } from "../../src/SessionOptions.ts"
import type { Opening, ProbeContext } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, worldOf, type Policy, type Thing, type World } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch, type Watched } from "../support/watch.ts"

type Answer = (context: ProbeContext, opening: Opening) => unknown
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))

describe.each(faces)("$face", ({ world }) => {
  /** Every generation has this probe; `asked` says why and when it was asked. */
  const probing = (answer: Answer = () => true, options?: ProbeOptions, policy: Policy = {}) => {
    const asked: Array<string> = []
    const contexts: Array<ProbeContext> = []
    const w: World<Thing> = world({ idleTimeout: "Infinity", ...policy }, (opening) =>
      opening.probe((context) => {
        contexts.push(context)
        asked.push(`${context.why} at ${w.clock.now}`)
        return answer(context, opening)
      }, options),
    )
    const use = (): Watched =>
      watch(
        w.clock,
        w.sessions.run("a", (thing) => thing.serial),
      )
    return { ...w, asked, contexts, use }
  }

  const bad = new Error("no answer from the browser")
  const throws = (): never => {
    throw bad
  }
  test.each<readonly [string, Answer, number, unknown]>([
    ["gives false", () => false, 0, undefined],
    ["gives false later", () => settle().then(() => false), 0, undefined],
    ["throws at once", throws, 0, bad],
    ["fails", () => Promise.reject(bad), 0, bad],
    ["gives no answer within 5 s", ({ signal }) => untilStopped(signal), 5000, undefined],
  ])(
    "L11, L12: a probe that %s loses the generation; who waits moves on in order, nobody is lost",
    async (_, answer, after, cause) => {
      const w = probing((context, opening) => (opening.serial === 1 ? answer(context, opening) : true))
      const { clock, events, ledger, sessions, story } = w
      await sessions.run("a", () => {})
      await clock.advance(10_001)
      const starts: Array<string> = []
      const calls = [1, 2, 3].map((n) =>
        watch(
          clock,
          sessions.run("a", ({ serial }) => starts.push(`${n} on ${serial}`)),
        ),
      )
      await clock.advance(after - 1)
      expect(calls.map((call) => call.outcome)).toEqual(
        after === 0 ? ["value 1", "value 2", "value 3"] : ["pending", "pending", "pending"],
      )
      await clock.advance(1)
      expect(starts).toEqual(["1 on 2", "2 on 2", "3 on 2"])
      expect(calls.map((call) => call.at)).toEqual(Array(3).fill(10_001 + after))
      const lost = events.filter((event) => event._tag === "Lost")
      expect(lost).toMatchObject([{ by: "probe", session: { serial: 1 } }])
      const { errors, restarts } = sessions.explain("a")
      expect(errors).toMatchObject([{ at: 10_001 + after, in: "probe", error: lost[0]?.cause }])
      if (cause !== undefined) expect(errors[0]?.error).toBe(cause)
      expect(restarts.left).toBe(4)
      expect(story()).toEqual([
        "Opening",
        "Opened",
        "Lost",
        "Closing Broken",
        "Closed Broken",
        "Opening",
        "Opened",
      ])
      expect(ledger.mostOfOneKey).toBe(1)
      await expectNothingLeft(w)
    },
  )

  test.each([[undefined], [null], [0], [""], [{ then: false }], [new Error("as a value")]])(
    "L11: only false is a bad answer, %s is not",
    async (answer) => {
      const { asked, clock, events, use } = probing(() => answer)
      use()
      await clock.advance(10_001)
      const call = use()
      await clock.advance(0)
      expect([call.outcome, asked.length]).toEqual(["value 1", 1])
      expect(events.filter((event) => event._tag === "Lost")).toEqual([])
    },
  )

  test.each([1, 3])(
    "L11, L6: many wait for one probe; a good answer starts them in order (concurrency %i)",
    async (concurrency) => {
      const answer = gate()
      const w = probing(() => answer.promise, {}, { concurrency })
      const { asked, clock, sessions, use } = w
      use()
      await clock.advance(10_001)
      const starts: Array<number> = []
      const calls = Array.from({ length: 20 }, (_, n) =>
        watch(
          clock,
          sessions.run("a", () => {
            starts.push(n)
            return clock.after(10)
          }),
        ),
      )
      await clock.advance(1000)
      expect([asked.length, starts]).toEqual([1, []])
      const { alive, tasks } = sessions.explain("a")
      expect(new Set(tasks.map((task) => task.waitsFor))).toEqual(new Set(["probe"]))
      expect(alive).toHaveLength(20)
      expect(String(sessions.explain("a"))).toContain("waits for a probe of the resource")
      answer.open()
      await clock.advance(200)
      expect(starts).toEqual(Array.from({ length: 20 }, (_, n) => n))
      expect(new Set(calls.map((call) => call.outcome))).toEqual(new Set(["value undefined"]))
      expect(asked).toHaveLength(1)
      await expectNothingLeft(w)
    },
  )

  test("L11: a bad answer after a task's error: that error is told untouched, both are shown, the next use opens afresh", async () => {
    const { clock, events, sessions, story, use } = probing(() => false)
    const error = new Error("target closed")
    const fails = watch(
      clock,
      sessions.run("a", () => Promise.reject(error)),
    )
    await clock.advance(0)
    expect(fails.error).toBe(error)
    expect(sessions.explain("a").errors.map((one) => one.in)).toEqual(["task", "probe"])
    expect(story().at(-1)).toBe("Closed Broken")
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 2")
    expect(events.filter((event) => event._tag === "Lost")).toHaveLength(1)
  })

  test("L11: a bad answer for nobody: it is not rebuilt before the next use, unless it is to be rebuilt eagerly", async () => {
    for (const eager of [false, true]) {
      const w = probing((_, { serial }) => serial > 1, { every: 1000 }, { restart: { eager } })
      const { asked, clock, events, ledger, sessions, use } = w
      use()
      await clock.advance(1500)
      expect(events.filter((event) => event._tag === "Lost")).toMatchObject([{ by: "probe", at: 1000 }])
      expect(sessions.explain("a").state).toBe(eager ? "Ready" : "Closed")
      await clock.advance(5000)
      expect(ledger.opened).toBe(eager ? 2 : 1)
      // The new one is asked from its own beginning; the old one no more.
      expect(asked).toHaveLength(eager ? 6 : 1)
      const next = use()
      await clock.advance(0)
      expect(next.outcome).toBe("value 2")
      await expectNothingLeft(w)
    }
  })

  test("L11: restart false: a bad probe closes the session, who waits is refused, the next use opens afresh", async () => {
    const w = probing((_, { serial }) => clock.after(10).then(() => serial > 1), {}, { restart: false })
    const { clock, sessions, story, use } = w
    use()
    await clock.advance(10_001)
    const calls = [use(), use()]
    await clock.advance(10)
    expect(calls.map((call) => call.outcome)).toEqual(["SessionRefused Closed", "SessionRefused Closed"])
    expect(story().filter((tag) => !tag.startsWith("Refused"))).toEqual([
      "Opening",
      "Opened",
      "Lost",
      "Closing Broken",
      "Closed Broken",
    ])
    expect(sessions.explain("a")).toMatchObject({ state: "Closed", ended: { reason: "Broken" } })
    expect(await sessions.run("a", (thing) => thing.serial)).toBe(2)
    await expectNothingLeft(w)
  })

  test.each([
    { trustFor: -1 },
    { trustFor: "soon" },
    { every: 0 },
    { every: Number.NaN },
    { timeout: 0 },
    { timeout: "0 seconds" },
    { timeout: null },
    { interval: 1000 },
    null,
    5,
  ])("L17: wrong options throw InvalidOption at probe(): %j", async (options) => {
    const thrown: Array<unknown> = []
    const { clock, sessions } = world({}, (opening) => {
      try {
        opening.probe(() => true, options as ProbeOptions)
      } catch (error) {
        thrown.push(error)
      }
    })
    const call = watch(
      clock,
      sessions.run("a", () => 1),
    )
    await clock.advance(0)
    expect(call.outcome).toBe("value 1")
    expect(thrown[0]).toBeInstanceOf(SessionMisuse)
    expect(thrown).toMatchObject([{ reason: "InvalidOption" }])
  })
})

test("L17: a check that is no function throws InvalidOption", async () => {
  const { sessions } = worldOf({
    name: "probes",
    open: ({ probe }) => {
      probe(true as never)
    },
  })
  await expect(sessions.run("a", () => 1)).rejects.toMatchObject({
    _tag: "SessionOpenFailed",
    cause: { _tag: "SessionMisuse", reason: "InvalidOption" },
  })
})
