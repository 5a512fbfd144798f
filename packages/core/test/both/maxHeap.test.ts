import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { withHeap } from "../support/inner.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { losing } from "../support/losing.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  const make = (...setup: Parameters<typeof world>) => withHeap(losing(world)(...setup))

  test("L9: above the mark nothing opens: who waits is refused MaxHeap in time, with retryAfter; who is served goes on", async () => {
    const w = make({ maxHeap: 0.8, timeouts: { seat: 3000 } })
    const { clock, heap, ledger, registry, sessions, use } = w
    const held = gate()
    const busy = watch(
      clock,
      sessions.run("busy", () => held.promise),
    )
    await clock.advance(500)
    heap.share = 0.8
    await clock.advance(500)
    const [refused, queued] = [use("new"), use("busy")]
    await clock.advance(0)
    expect(sessions.explain("new")).toMatchObject({
      state: "Waiting",
      tasks: [{ waitsFor: "seat", behind: 0, waitEnds: { clock: "seat", at: 4000 } }],
    })
    await clock.advance(2999)
    expect(refused.outcome).toBe("pending")
    await clock.advance(1)
    expect(refused).toMatchObject({ outcome: "SessionRefused MaxHeap", at: 4000 })
    expect(fieldOf(refused, "retryAfter")).toBe(1000)
    held.open()
    await clock.advance(0)
    expect([busy.outcome, queued.outcome, ledger.opened]).toEqual(["value undefined", "value 1", 1])
    expect(registry.sessions.has("new")).toBe(false)
    await expectNothingLeft(w)
  })

  test("L9: the first who wants a seat in a full heap is not let through either", async () => {
    const { clock, heap, ledger, use } = make({ maxHeap: 0.5, timeouts: { seat: 700 } })
    heap.share = 0.5
    const first = use()
    await clock.advance(700)
    expect(first.outcome).toBe("SessionRefused MaxHeap")
    // Nobody waits and nothing is open, so nobody looks; the next one looks for itself, and sees that it has fallen.
    await clock.advance(5000)
    const looks = heap.looks
    await clock.advance(60_000)
    expect(heap.looks).toBe(looks)
    heap.share = 0.49
    const second = use()
    await clock.advance(0)
    expect([second.outcome, ledger.opened]).toEqual(["value 1", 1])
  })

  test("L9: a heap that has filled since the last look is seen by the next who wants a seat", async () => {
    const { clock, heap, ledger, use } = make({ maxHeap: 0.8, timeouts: { seat: 500 } })
    use("a")
    await clock.advance(10)
    heap.share = 0.95
    const calls = Array.from({ length: 20 }, (_, index) => use(`k${index}`))
    await clock.advance(500)
    expect(ledger.opened).toBe(1)
    expect(new Set(calls.map(({ outcome }) => outcome))).toEqual(new Set(["SessionRefused MaxHeap"]))
  })

  test("L9: once it has fallen below the mark the line is served, in order", async () => {
    const w = make({ maxHeap: 0.8, timeouts: { seat: 5000 } })
    const { clock, heap, ledger, use } = w
    heap.share = 0.9
    const line = ["a", "b", "a", "c"].map((key) => use(key))
    await clock.advance(1500)
    heap.share = 0.79
    await clock.advance(499)
    expect(line.map(({ outcome }) => outcome)).toEqual(Array(4).fill("pending"))
    await clock.advance(1)
    expect(line.map(({ outcome, at }) => `${outcome} at ${at}`)).toEqual(
      [1, 2, 1, 3].map((number) => `value ${number} at 2000`),
    )
    expect(ledger.lines).toEqual(["open a#1", "open b#2", "open c#3"])
    await expectNothingLeft(w)
  })

  test("L9: without maxHeap nobody ever looks, however full it is", async () => {
    const w = make({ maxSessions: 1 })
    const { clock, heap, use } = w
    heap.share = 1
    const calls = ["a", "b", "a"].map((key) => use(key))
    await clock.advance(10_000)
    expect(heap.looks).toBe(0)
    expect(calls.map(({ outcome }) => outcome)).toEqual(["value 1", "value 2", "value 1"])
    await expectNothingLeft(w)
  })

  test("L9: maxHeap 0 opens nothing at all", async () => {
    const { clock, ledger, use } = make({ maxHeap: 0 })
    const call = use()
    await clock.advance(5000)
    expect([call.outcome, ledger.opened]).toEqual(["SessionRefused MaxHeap", 0])
  })

  test("L9, L3: a lost generation is not replaced above the mark: who waits joins the line, and keeps its place in the queue", async () => {
    const w = make({ maxHeap: 0.8, timeouts: { seat: 4000 } })
    const { clock, heap, ledger, registry, sessions } = w
    const held = gate()
    const order: Array<string> = []
    const finder = watch(
      clock,
      sessions.run("a", (thing) => held.promise.then(() => thing.opening.broken("dead"))),
    )
    const moves = ["first", "second"].map((name) =>
      watch(
        clock,
        sessions.run("a", () => void order.push(name)),
      ),
    )
    await settle()
    heap.share = 0.8
    await clock.advance(1000)
    held.open()
    await clock.advance(0)
    expect(finder.outcome).toBe("value undefined")
    expect([sessions.explain("a").state, registry.seats.taken, ledger.opened]).toEqual(["Waiting", 0, 1])
    await clock.advance(1000)
    heap.share = 0.1
    await clock.advance(1000)
    expect(moves.map(({ outcome }) => outcome)).toEqual(["value undefined", "value undefined"])
    expect(order).toEqual(["first", "second"])
    await expectNothingLeft(w)
  })

  test("L9: a restart above the mark closes at once, and the next generation waits until it may open", async () => {
    const w = make({ maxHeap: 0.8 })
    const { clock, heap, sessions, use } = w
    await sessions.run("a", serial)
    const lease = await sessions.lease("a")
    heap.share = 0.8
    await clock.advance(1000)
    const restarted = watch(clock, sessions.restart("a"))
    const next = use()
    await clock.advance(0)
    expect(restarted.value).toMatchObject({ reason: "Restarted", leaked: false })
    expect([next.outcome, lease.signal.aborted]).toEqual(["pending", true])
    heap.share = 0
    await clock.advance(1000)
    expect(next.outcome).toBe("value 2")
    await expectNothingLeft(w)
  })

  test("L9, L10: a key that backs off while the heap fills is not opened above the mark", async () => {
    const w = make({ maxHeap: 0.8, restart: { delay: 4000 }, timeouts: { seat: 10_000 } }, (opening) => {
      if (opening.serial === 1) throw new Error("no database")
    })
    const { clock, heap, ledger, use } = w
    const failed = use()
    await clock.advance(500)
    expect(failed.outcome).toBe("SessionOpenFailed Failed")
    const next = use()
    await clock.advance(0)
    expect(w.sessions.explain("a").state).toBe("Backoff")
    heap.share = 0.9
    await clock.advance(5500)
    expect([next.outcome, ledger.opened]).toEqual(["pending", 0])
    heap.share = 0
    await clock.advance(1000)
    expect(next.outcome).toBe("value 2")
    await expectNothingLeft(w)
  })

  test("L9, L11: an eager rebuild for which nobody waits is let go above the mark: its key is opened on demand then", async () => {
    const w = make({ maxHeap: 0.8, restart: { eager: true, delay: 4000 } })
    const { clock, heap, ledger, lose, registry, sessions, use } = w
    await lose("a", 0)
    await lose("a", 0)
    expect([sessions.explain("a").state, ledger.opened]).toEqual(["Backoff", 2])
    heap.share = 0.9
    await clock.advance(5000)
    expect([sessions.explain("a").state, ledger.opened]).toEqual(["Closed", 2])
    expect([registry.seats.waiting, registry.seats.taken]).toEqual([0, 0])
    heap.share = 0
    const next = use()
    await clock.advance(0)
    expect(next.outcome).toBe("value 3")
    await expectNothingLeft(w)
  })

  test("L9, L14: a drain above the mark tells who waits, and ends", async () => {
    const { clock, heap, sessions, use } = make({ maxHeap: 0.8, timeouts: { seat: 60_000 } })
    heap.share = 0.9
    const waits = use()
    await settle()
    const drained = watch(clock, sessions.drain())
    await clock.advance(0)
    expect(waits.outcome).toBe("SessionRefused Draining")
    expect(drained.outcome).toBe("value [object Object]")
    const looks = heap.looks
    await clock.advance(10_000)
    expect(heap.looks).toBeLessThanOrEqual(looks + 1)
  })
})
