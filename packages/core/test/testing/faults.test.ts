/** `fail` and `hang`: what the caller sees, what the registry does about it, and that each has to come about. */
import { describe, expect, test } from "vitest"
import type { Time } from "../../src/SessionOptions.ts"
import type { Opening } from "../../src/Sessions.ts"
import type { TestSessions } from "../../src/testing.ts"
import { testSessions } from "../../src/testing/testSessions.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { failureOf } from "./failureOf.ts"

interface Box {
  readonly released: Array<string>
}
const released: Array<string> = []
const open = ({ key, onClose, probe, serial }: Opening): Box => {
  onClose(() => released.push(`${key} ${serial} outer`))
  onClose(() => released.push(`${key} ${serial} inner`))
  probe(() => true, { trustFor: 0 })
  return { released }
}
const boxes = () => {
  released.length = 0
  return testSessions({ name: "box", open, restart: { delay: "1 second" } })
}
/** How it is settled, with virtual time passing until it is. */
const told = async (
  kit: TestSessions<Box>,
  promise: Promise<unknown>,
  step: Time = "5 seconds",
): Promise<unknown> => {
  const how: Array<unknown> = []
  promise.then(
    (value) => how.push(value),
    (error: unknown) => how.push(error),
  )
  for (let tries = 0; tries < 100 && how.length === 0; tries++) {
    await kit.advance(step)
    await settle()
  }
  return how[0]
}

describe("fail", () => {
  test("L10: an open fails once, the caller is told why, and the next one opens after the back-off", async () => {
    await using kit = boxes()
    kit.fail("open")
    const failed = await told(
      kit,
      kit.sessions.run("alice", () => 1),
      "0 seconds",
    )
    expect(failed).toMatchObject({ _tag: "SessionOpenFailed", reason: "Failed", retryAfter: 750 })
    expect(String((failed as Error).cause)).toMatch(
      /^Error: The test lets this open fail \(.*faults\.test\.ts:\d+/,
    )
    expect(
      await told(
        kit,
        kit.sessions.run("alice", () => 1),
        "1 second",
      ),
    ).toBe(1)
    expect(kit.log).toEqual([
      expect.stringContaining("alice#1 failed to open: The test lets this open fail"),
      "alice#1 closed: OpenFailed",
      "alice#2 opened",
    ])
    expect(released).toEqual([])
  })

  test("L5: a task fails with exactly that error, and its function is never called", async () => {
    await using kit = boxes()
    const error = { code: "EPIPE" }
    let called = 0
    kit.fail("task", { error })
    await expect(kit.sessions.run("alice", () => void called++)).rejects.toBe(error)
    expect(await kit.sessions.run("alice", () => ++called)).toBe(1)
  })

  test("L11: a probe that fails costs the resource, and the turn goes on with the next one", async () => {
    await using kit = boxes()
    expect(await kit.sessions.run("alice", (_, { session }) => session.serial)).toBe(1)
    await kit.advance("1 second")
    kit.fail("probe", { error: new Error("gone away") })
    expect(
      await told(
        kit,
        kit.sessions.run("alice", (_, { session }) => session.serial),
      ),
    ).toBe(2)
    expect(kit.log).toEqual([
      "alice#1 opened",
      "alice#1 lost: gone away",
      "alice#1 closed: Broken",
      "alice#2 opened",
    ])
  })

  test("L4: a release that fails keeps no other from being released, and is in the report", async () => {
    await using kit = boxes()
    await kit.sessions.run("alice", () => {})
    const error = new Error("will not")
    kit.fail("close", { error })
    expect(await kit.sessions.close("alice")).toMatchObject({ leaked: false, errors: [error] })
    expect(released).toEqual(["alice 1 inner", "alice 1 outer"])
  })

  test("L4: a close that fails does so first, once for each session, also for an opening that is given up", async () => {
    const ended = gate()
    const order: Array<string> = []
    await using kit = testSessions({
      name: "slow",
      open: ({ key, onClose }: Opening) => {
        onClose(() => order.push(key))
        return key === "slow" ? ended.promise : undefined
      },
    })
    const error = new Error("will not")
    kit.fail("close", { times: 3, error })
    await Promise.all([kit.sessions.run("a", () => {}), kit.sessions.run("b", () => {})])
    const slow = failureOf(kit.sessions.run("slow", () => {}))
    expect([await kit.sessions.close("a"), await kit.sessions.close("b")]).toMatchObject([
      { errors: [error] },
      { errors: [error] },
    ])
    const closing = kit.sessions.close("slow")
    // An opening that takes no notice has five seconds.
    await kit.advance("5 seconds")
    expect(kit.sessions.explain("slow").errors).toMatchObject([{ in: "close", error }])
    ended.open()
    expect(await closing).toMatchObject({ errors: [error] })
    expect(await slow).toMatchObject({ reason: "Closed" })
    expect(order).toEqual(["a", "b", "slow"])
  })

  test("key and times: only there, so often, in the order in which they were given", async () => {
    await using kit = boxes()
    kit.fail("task", { key: { owner: "u", id: "1" }, times: 2, error: "first" })
    kit.fail("task", { error: "second" })
    const run = (id: string): Promise<unknown> =>
      kit.sessions.run({ owner: "u", id }, () => "ran").catch((error: unknown) => error)
    expect([await run("2"), await run("2"), await run("1"), await run("1"), await run("1")]).toEqual([
      "second",
      "ran",
      "first",
      "first",
      "ran",
    ])
    kit.fail("task", { times: Infinity, error: "always" })
    expect(new Set(await Promise.all([run("1"), run("2"), run("3")]))).toEqual(new Set(["always"]))
  })
})

describe("hang", () => {
  test("L13: an open that never ends is given up at its deadline", async () => {
    await using kit = boxes()
    kit.hang("open")
    expect(
      await told(
        kit,
        kit.sessions.run("alice", () => 1),
      ),
    ).toMatchObject({ reason: "TimedOut" })
    expect(
      await told(
        kit,
        kit.sessions.run("alice", () => 1),
      ),
    ).toBe(1)
  })

  test("L6, L13: a task that never ends is told silent and abandoned, and those behind it are served", async () => {
    await using kit = testSessions({ name: "box", open, timeouts: { silence: "1 minute" } })
    kit.hang("task")
    const hung = kit.sessions.run("alice", () => 1)
    const behind = kit.sessions.run("alice", () => 2)
    expect(await told(kit, hung, "1 minute")).toMatchObject({ reason: "Silent", abandoned: true })
    expect(await told(kit, behind)).toBe(2)
  })

  test("L11: a probe that never answers costs the resource after its timeout", async () => {
    await using kit = boxes()
    await kit.sessions.run("alice", () => {})
    await kit.advance("1 second")
    kit.hang("probe")
    expect(
      await told(
        kit,
        kit.sessions.run("alice", (_, { session }) => session.serial),
        "1 second",
      ),
    ).toBe(2)
    expect(kit.log[1]).toBe("alice#1 lost: The probe gave no answer within 5000 ms.")
  })

  test("L4: a release that never ends keeps no other from being released, and the key goes on", async () => {
    await using kit = boxes()
    await kit.sessions.run("alice", () => {})
    kit.hang("close")
    const closing = kit.sessions.close("alice")
    await kit.advance("4 seconds")
    expect(released).toEqual([])
    await kit.advance("1 second")
    expect(released).toEqual(["alice 1 inner", "alice 1 outer"])
    expect(await told(kit, closing)).toMatchObject({ leaked: true })
    expect(await kit.sessions.run("alice", (_, { session }) => session.serial)).toBe(2)
  })

  test("a hang costs no real time: nothing is waited for that cannot move", async () => {
    await using kit = boxes()
    kit.hang("open", { key: "alice" })
    kit.hang("task", { key: "bob" })
    const both = [kit.sessions.run("alice", () => 1), kit.sessions.run("bob", () => 1)]
    const settled = Promise.allSettled(both)
    const began = performance.now()
    await kit.advance("6 minutes")
    await settled
    expect(performance.now() - began).toBeLessThan(500)
  })

  test("L4: nothing keeps what hangs from ending with the test, also without a deadline of its own", async () => {
    const never = "Infinity"
    const kit = testSessions({
      name: "box",
      open,
      timeouts: { open: never, silence: never, grace: never, close: never },
    })
    kit.hang("task", { key: "a" })
    kit.hang("close", { key: "b" })
    const hung = failureOf(kit.sessions.run("a", () => {}))
    await kit.sessions.run("b", () => {})
    await kit[Symbol.asyncDispose]()
    expect(await hung).toMatchObject({ reason: "Drained" })
    expect(kit.log.toSorted()).toEqual([
      "a#1 closed: Drained",
      "a#1 opened",
      "b#1 closed: Drained",
      "b#1 opened",
    ])
  })
})

describe("a fault that never fires", () => {
  const messageOf = async (kit: TestSessions<Box>): Promise<string> => {
    const error: unknown = await kit[Symbol.asyncDispose]().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    return error instanceof Error
      ? error.message.replaceAll(/\S*(faults\.test\.ts):\d+:\d+/g, "$1")
      : "no error"
  }

  test("is an error at the end, which names each of them and what did not happen", async () => {
    const kit = boxes()
    kit.fail("open", { key: "bob" })
    kit.hang("probe", { key: "bob" })
    kit.fail("task", { times: 3 })
    await kit.sessions.run("alice", () => {}).catch(() => {})
    expect(await messageOf(kit)).toBe(
      [
        'The test of "box" leaves something behind:',
        '  - fail("open") of bob, given at faults.test.ts, never fired: nothing was opened there. Take it out, or bring the moment about.',
        '  - hang("probe") of bob, given at faults.test.ts, never fired: no probe was asked there. Take it out, or bring the moment about.',
        '  - fail("task"), given at faults.test.ts, fired 1 of 3 times: no task began more often. Take it out, or bring the moment about.',
      ].join("\n"),
    )
  })

  test("a close that only the end brings about counts, and so does one of ever so many", async () => {
    const kit = boxes()
    kit.fail("close", { key: "alice" })
    kit.fail("task", { times: Infinity })
    await kit.sessions.run("alice", () => {}).catch(() => {})
    expect(await messageOf(kit)).toBe("no error")
  })

  test("a fault that means nothing is refused when it is given", () => {
    const kit = boxes()
    expect(() => kit.fail("opening" as never)).toThrow("at: one of open, task, probe, close is allowed")
    expect(() => kit.fail("open", { times: 0 })).toThrow("times: a whole number of at least 1")
    expect(() => kit.fail("open", { key: "" })).toThrow("Not a session key")
    expect(() => kit.hang("open", { error: "never thrown" })).toThrow("error: there is no such option")
    expect(() => kit.fail("open", { keys: "alice" } as never)).toThrow("keys: there is no such option")
  })
})
