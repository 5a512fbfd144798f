import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { withHeap } from "../support/inner.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { losing } from "../support/losing.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectNothingLeft } from "../support/watch.ts"

const serial = (thing: Thing): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  const make = (...setup: Parameters<typeof world>) => {
    const w = withHeap(losing(world)(...setup))
    const released = (): ReadonlyArray<string> =>
      w.ledger.lines
        .filter((line) => line.startsWith("release "))
        .map((line) => line.slice(8).split("#")[0] ?? "")
    /** Used one after the other, a millisecond apart. */
    const used = async (...keys: ReadonlyArray<string>): Promise<void> => {
      for (const key of keys) {
        await w.sessions.run(key, serial)
        await w.clock.advance(1)
      }
    }
    /** Up to the next look, which is taken once a second from the first opening on. */
    const nextLook = (): Promise<void> => w.clock.advance(1000 - (w.clock.now % 1000))
    return { ...w, nextLook, released, used }
  }
  const letters = "abcdefghij".split("")

  test("L9: idle sessions are closed, longest idle first, as many as the share above the low mark", async () => {
    const w = make({ maxHeap: 0.8 })
    const { heap, nextLook, released, sessions, story, used } = w
    await used(...letters)
    await used("a")
    heap.share = 0.9
    await nextLook()
    // From 0.9 down to 0.75 is a sixth of what ten sessions hold: two of them.
    expect(released()).toEqual(["b", "c"])
    expect(story().filter((tag) => tag.startsWith("Closed"))).toEqual(["Closed Evicted", "Closed Evicted"])
    expect(sessions.explain("b").ended?.reason).toBe("Evicted")
    await nextLook()
    expect(released()).toEqual(["b", "c", "d", "e"])
    await expectNothingLeft(w)
  })

  test("L9: with two marks: once over, it goes on down to the low one, and above that begins nothing", async () => {
    const { heap, ledger, nextLook, released, used } = make({ maxHeap: 0.8 })
    await used(...letters)
    // Between the marks on the way up: nothing happens.
    heap.share = 0.79
    await nextLook()
    expect(released()).toEqual([])
    heap.share = 0.8
    await nextLook()
    expect(released()).toEqual(["a"])
    // Between them on the way down: openings are allowed again, and idle ones still go.
    heap.share = 0.77
    await nextLook()
    expect(released()).toEqual(["a", "b"])
    const before = ledger.opened
    await used("new")
    expect(ledger.opened).toBe(before + 1)
    heap.share = 0.75
    await nextLook()
    await nextLook()
    const gone = released().length
    expect(gone).toBeLessThan(5)
    heap.share = 0.79
    await used("newer")
    await nextLook()
    expect(released()).toHaveLength(gone)
  })

  test("L9, L8: never one in use, leased, with work in the background, or waited for", async () => {
    const w = make({ maxHeap: 0.5 }, ({ key }) => (key === "opening" ? w.clock.after(60_000) : undefined))
    const { heap, nextLook, released, sessions, used } = w
    const held = gate()
    void sessions.run("busy", () => held.promise)
    const lease = await sessions.lease("leased")
    await sessions.run("background", (_, task) => void task.background("upload", () => held.promise))
    void sessions.run("opening", serial).catch(() => {})
    await used("idle")
    heap.share = 1
    for (let look = 0; look < 5; look++) await nextLook()
    expect(released()).toEqual(["idle"])
    // As soon as they are idle, the next look has them.
    held.open()
    await settle()
    expect(released()).toEqual(["idle"])
    await nextLook()
    expect(released().toSorted()).toEqual(["background", "busy", "idle"])
    await lease.release()
    await nextLook()
    expect(released().toSorted()).toEqual(["background", "busy", "idle", "leased"])
  })

  test("L9: what it closes also makes room among maxSessions, and a closing under way is not counted twice", async () => {
    const closing = gate()
    const w = make({ maxHeap: 0.5, maxSessions: 2, timeouts: { seat: 10_000 } }, (opening) => {
      if (opening.key === "a") opening.onClose(() => closing.promise)
    })
    const { clock, heap, nextLook, released, sessions, use, used } = w
    await used("a", "b")
    heap.share = 0.5
    await nextLook()
    expect([sessions.explain("a").state, sessions.explain("b").state]).toEqual(["Closing", "Ready"])
    heap.share = 0
    await nextLook()
    const next = use("c")
    await clock.advance(0)
    expect([next.outcome, sessions.explain("b").state]).toEqual(["pending", "Ready"])
    closing.open()
    await clock.advance(0)
    expect(next.outcome).toBe("value 3")
    expect(released()).toEqual(["a"])
    await expectNothingLeft(w)
  })

  test("L9, L25: what is closed for the heap's sake may save its state for the next life", async () => {
    const restored: Array<unknown> = []
    const { heap, nextLook, used } = make({ maxHeap: 0.5 }, (opening) => {
      restored.push(opening.restored)
      opening.save(() => opening.serial)
    })
    await used("a")
    heap.share = 0.6
    await nextLook()
    heap.share = 0
    await nextLook()
    await used("a")
    expect(restored).toEqual([undefined, 1])
  })

  test("L9: a victim that is wanted again joins the line, and the same heap serves it when it may", async () => {
    const w = make({ maxHeap: 0.5 })
    const { clock, heap, nextLook, use, used } = w
    await used("a", "b")
    heap.share = 0.6
    await nextLook()
    const back = use("a")
    await clock.advance(500)
    expect(back.outcome).toBe("pending")
    heap.share = 0.4
    await nextLook()
    expect(back.outcome).toBe("value 3")
    await expectNothingLeft(w)
  })
})
