/** What only the Promise face has: streams with a consumer, the reason of the signal, a task that begins once more. */
import { AsyncLocalStorage } from "node:async_hooks"
import { expect, test } from "vitest"
import { collect } from "../support/collect.ts"
import { gate, outcomeOf, world } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const begun = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))

test("L14: one drain is one signal, of the registry and its streams; its reason is the refusal of new work", async () => {
  const { sessions } = world()
  const stream = sessions.stream("a", async function* () {
    yield 1
  })
  expect(stream.draining).toBe(sessions.draining)
  expect(await collect(stream)).toEqual([1])
  await sessions.drain()
  expect(stream.draining.aborted).toBe(true)
  expect(sessions.draining.reason).toMatchObject({ _tag: "SessionRefused", reason: "Draining" })
})

test("L14, L26: a task has a signal of its own, which ends with it: what was joined to it is not kept", async () => {
  const { clock, sessions } = world()
  const late = gate()
  const over = await sessions.run("a", (_, task) => {
    expect(task.draining).toBe(task.draining)
    return task.draining
  })
  const running = sessions.run("a", async (_, { draining }) => {
    await late.promise
    return draining
  })
  await settle()
  const drained = watch(clock, sessions.drain())
  await settle()
  late.open()
  const told = await running
  expect([over.aborted, told.aborted, told.reason]).toEqual([false, true, sessions.draining.reason])
  await settle()
  expect(drained.value).toMatchObject({ finished: 1, cut: [] })
})

test("L14: a stream without end that watches it tells its consumer the end; the drain reports nothing cut", async () => {
  const it = world()
  const { clock, sessions } = it
  const stream = sessions.stream("a", async function* (_, { draining }) {
    for (let n = 1; !draining.aborted; n++) {
      yield n
      await Promise.race([clock.after(1000), begun(draining)])
    }
    yield "good bye"
  })
  const read = watch(clock, collect<unknown>(stream))
  await clock.advance(3500)
  const drained = watch(clock, sessions.drain({ finishWithin: 60_000 }))
  await clock.advance(0)
  expect(read).toMatchObject({ value: [1, 2, 3, 4, "good bye"], at: 3500 })
  expect(drained).toMatchObject({ value: { finished: 1, cut: [], leaked: [] }, at: 3500 })
  await expectNothingLeft(it)
})

test("L14: a consumer sees it on the stream, also on one that is resumed, and the stream goes on", async () => {
  const { clock, sessions } = world()
  const more = gate()
  const stream = sessions.stream(
    "a",
    async function* () {
      yield 1
      await more.promise
      yield 2
    },
    { resumable: true },
  )
  await stream.started
  const resumed = await sessions.resume("a")
  const seen = [stream, resumed].map((one) => {
    const at: Array<number> = []
    one?.draining.addEventListener("abort", () => at.push(clock.now))
    return at
  })
  const read = watch(clock, collect(resumed ?? stream))
  await clock.advance(700)
  const drained = watch(clock, sessions.drain({ finishWithin: 10_000 }))
  await clock.advance(300)
  expect([seen, read.outcome]).toEqual([[[700], [700]], "pending"])
  more.open()
  await settle()
  expect(read.value).toEqual([1, 2])
  expect(drained.value).toMatchObject({ finished: 1, cut: [] })
})

test("L19: a task's listener runs in the clean context, not in the drainer's; what awaits it stays in its own", async () => {
  const caller = new AsyncLocalStorage<string>()
  const { sessions } = world()
  const seen: Array<string | undefined> = []
  const running = caller.run("who runs", () =>
    sessions.run("a", async (_, { draining }) => {
      draining.addEventListener("abort", () => seen.push(caller.getStore()))
      await begun(draining)
      seen.push(caller.getStore())
    }),
  )
  await settle()
  await caller.run("who drains", () => sessions.drain())
  await running
  expect(seen).toEqual([undefined, "who runs"])
})

test("L14, L12: it is no stop: a turn that pays no attention to it finishes as ever", async () => {
  const { clock, sessions } = world()
  const running = watch(
    clock,
    sessions.run("a", async ({ key }) => {
      await clock.after(5000)
      return key
    }),
  )
  await settle()
  void sessions.drain({ finishWithin: 60_000 })
  expect(await outcomeOf(sessions.run("b", () => 1))).toBe("SessionRefused Draining")
  await clock.advance(5000)
  expect(running).toMatchObject({ outcome: "value a", at: 5000 })
})
