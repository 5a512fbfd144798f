import { describe, expect, test } from "vitest"
import { HeapWatch } from "../../src/registry/HeapWatch.ts"
import { faces } from "../support/faces.ts"
import { gate, type Thing } from "../support/ledger.ts"
import { outages, type Outage } from "../support/outage.ts"
import { VirtualClock } from "../support/VirtualClock.ts"
import { expectNothingLeft, watch } from "../support/watch.ts"

const loses = (thing: Thing): void => thing.opening.broken("dead")

describe.each(faces)("$face", ({ world }) => {
  const make = outages(world)
  const breaks = async ({ backend, clock, failures }: Outage, count = 20): Promise<void> => {
    backend.down = true
    await failures(count)
    await clock.advance(0)
  }

  test("L11, L9: in a full registry, of all who come when the pause is over one costs an idle session its place", async () => {
    const w: Outage = make({ maxPerOwner: 1 }, (opening) => {
      if (opening.id === "old") opening.onClose(() => w.clock.after(100))
    })
    const { clock, sessions, use } = w
    const owners = ["a", "b", "c", "d", "e"]
    for (const owner of owners) use({ owner, id: "old" })
    await clock.advance(0)
    await breaks(w)
    await clock.advance(750)
    const calls = owners.map((owner) => use({ owner, id: "new" }))
    await clock.advance(200)
    for (const call of calls) expect(call.outcome).toBe("SessionOpenFailed Failed")
    const alive = owners.filter((owner) => sessions.explain({ owner, id: "old" }).state === "Ready")
    expect(alive).toHaveLength(4)
  })

  test("L11, L9: nobody is evicted for who stands in line when the outage begins", async () => {
    const w = make({ maxPerOwner: 1, timeouts: { seat: 5000 } })
    const { clock, sessions, use } = w
    const held = gate()
    const busy = watch(
      clock,
      sessions.run({ owner: "alice", id: "1" }, () => held.promise),
    )
    await clock.advance(0)
    const waits = use({ owner: "alice", id: "2" })
    await breaks(w)
    held.open()
    await clock.advance(700)
    expect(busy.outcome).toBe("value undefined")
    expect(sessions.explain({ owner: "alice", id: "1" }).state).toBe("Ready")
    // When it may try, it may cost a place; in any case it is told.
    await clock.advance(10_000)
    expect(waits.outcome).toMatch(/SessionOpenFailed|SessionRefused/)
  })

  test("L11: who stands in line when the outage begins is told then", async () => {
    const w: Outage = make({ maxPerOwner: 1, timeouts: { seat: 5000 } }, (opening) => {
      // Not even a seat that comes free makes anybody look.
      if (opening.id.startsWith("f")) opening.onClose(() => w.clock.after(300))
    })
    const { sessions, use } = w
    const held = gate()
    watch(
      w.clock,
      sessions.run({ owner: "alice", id: "1" }, () => held.promise),
    )
    await w.clock.advance(10)
    const waits = use({ owner: "alice", id: "2" })
    await breaks(w)
    expect(waits).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 10 })
    held.open()
    await expectNothingLeft(w)
  })

  test("L11, L9: an eager rebuild that is refused while it stands in line leaves the line, and opens with a seat or not at all", async () => {
    const fails = gate()
    const clock = new VirtualClock()
    let down = false
    let share = 0
    const w = world(
      { maxHeap: 0.8, maxSessions: 40, restart: { eager: true, delay: 0 }, timeouts: { seat: 60_000 } },
      async ({ key }) => {
        if (key.startsWith("f")) await fails.promise
        if (down) throw new Error("backend down")
      },
      clock,
    )
    const { registry, sessions } = w
    Object.assign(registry, { heapWatch: new HeapWatch(registry, () => share) })
    const call = (key: string, work: (thing: Thing) => unknown = () => {}) =>
      watch(clock, sessions.run(key, work))
    const found = gate()
    call("a", (thing) => found.promise.then(() => loses(thing)))
    for (let index = 0; index < 20; index++) call(`f${index}`)
    await clock.advance(10)
    share = 0.9
    await clock.advance(1000)
    const waits = call("a")
    found.open()
    await clock.advance(0)
    expect(sessions.explain("a").state).toBe("Waiting")
    await clock.advance(490)
    down = true
    fails.open()
    await clock.advance(0)
    // The heap is found to have fallen while the pause still lasts.
    share = 0
    await clock.advance(500)
    expect(waits).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 2000 })
    down = false
    await clock.advance(30_000)
    expect(sessions.snapshot().counts).toMatchObject({ Waiting: 0, Backoff: 0 })
    expect([registry.seats.taken, registry.seats.waiting]).toEqual([sessions.snapshot().counts.Ready, 0])
    await expectNothingLeft(w)
  })
})
