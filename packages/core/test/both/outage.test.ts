import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { outages } from "../support/outage.ts"
import { expectNothingLeft, fieldOf, watch } from "../support/watch.ts"

describe.each(faces)("$face", ({ world }) => {
  const make = outages(world)

  test("L11: twenty keys that fail to open are an outage: whoever would open is refused at once, with the last failure", async () => {
    const w = make()
    const { backend, clock, failures, registry, sessions, use, warnings } = w
    backend.down = true
    const most = await failures(19)
    backend.error = new Error("the last of them")
    const own = [...most, ...(await failures(1, "last"))]
    expect(warnings()).toEqual(["WarningRaised Outage"])
    for (const call of own) expect(call.outcome).toBe("SessionOpenFailed Failed")
    const { asked } = backend

    const refused = use("new")
    const again = use("f0")
    await clock.advance(0)
    for (const call of [refused, again]) {
      expect(call).toMatchObject({ outcome: "SessionOpenFailed Failed", at: 0 })
      expect(fieldOf(call, "cause")).toBe(backend.error)
      expect(fieldOf(call, "retryAfter")).toBe(750)
    }
    expect(fieldOf(refused, "session")).toMatchObject({ key: "new", serial: 0 })
    expect(String(fieldOf(refused, "message"))).toContain("cause")
    expect(backend.asked).toBe(asked)
    expect(registry.sessions.has("new")).toBe(false)
    expect(registry.seats.taken).toBe(0)
    // It rests on numbers that people can read.
    expect(w.events.find((event) => event._tag === "WarningRaised")).toMatchObject({
      warning: "Outage",
      evidence: { failed: 20, succeeded: 0 },
    })
    expect(sessions.explain("live").state).toBe("Closed")
    await expectNothingLeft(w)
  })

  test("L11, L26: a refusal in an outage is held against no key: no back-off, no quarantine, nothing remembered", async () => {
    const { backend, clock, failures, ledger, registry, sessions, use } = make({
      restart: { times: 1, delay: 20_000, maxDelay: 20_000 },
    })
    await sessions.run("once lost", (thing) => thing.opening.broken("dead"))
    await clock.advance(10)
    backend.down = true
    await failures(20)
    const known = registry.sessions.size
    for (let round = 0; round < 50; round++) {
      for (const key of ["new", "once lost"]) {
        const call = use(key)
        await clock.advance(0)
        expect(call.outcome).toBe("SessionOpenFailed Failed")
      }
    }
    expect(registry.sessions.size).toBe(known)
    expect(sessions.explain("new")).toMatchObject({
      state: "Closed",
      errors: [],
      restarts: { left: 1 },
      history: [],
    })
    expect(sessions.explain("once lost").restarts.left).toBe(0)
    expect(sessions.snapshot().counts).toMatchObject({ Quarantined: 0, Backoff: 0 })
    backend.down = false
    await clock.advance(750)
    const after = [use("new"), use("once lost")]
    await clock.advance(0)
    expect(after[0]?.outcome).toContain("value")
    const back = use("once lost")
    await clock.advance(0)
    expect(back.outcome).toContain("value")
    expect(ledger.live).toBe(2)
  })

  test("L11, L9: in an outage nobody is evicted, and live sessions serve, queue, lease and are closed as ever", async () => {
    const w = make({ maxPerOwner: 1 })
    const { backend, clock, failures, ledger, sessions, use } = w
    const held = gate()
    const place = (owner: string): { owner: string; id: string } => ({ owner, id: "1" })
    for (const owner of ["idle", "busy", "leased", "closed"]) use(place(owner))
    await clock.advance(0)
    const running = watch(
      clock,
      sessions.run(place("busy"), () => held.promise),
    )
    const lease = await sessions.lease(place("leased"))
    backend.down = true
    await failures(20)
    const opened = ledger.opened
    const queued = use(place("busy"))
    // Each would need the place of a session that is idle.
    const refused = ["idle", "closed"].map((owner) => use({ owner, id: "2" }))
    await clock.advance(0)
    for (const call of refused) expect(call.outcome).toBe("SessionOpenFailed Failed")
    expect(sessions.snapshot().counts).toMatchObject({ Ready: 4, Waiting: 0, Closing: 0 })
    expect(await lease.run((thing) => thing.serial)).toBe(3)
    expect(await sessions.run(place("idle"), (thing) => thing.serial)).toBe(1)
    expect(await sessions.close(place("closed"))).toMatchObject({ reason: "Requested" })
    held.open()
    await clock.advance(0)
    expect([running.outcome, queued.outcome, ledger.opened]).toEqual(["value undefined", "value 2", opened])
    await expectNothingLeft(w)
  })

  test("L11: many failures of one owner never make an outage; twenty owners with one each do", async () => {
    const { backend, clock, use, warnings } = make()
    backend.down = true
    for (let index = 0; index < 200; index++) use({ owner: "mallory", id: `k${index}` })
    await clock.advance(0)
    for (let index = 0; index < 18; index++) use({ owner: `o${index}` })
    await clock.advance(0)
    expect(warnings()).toEqual([])
    use({ owner: "the twentieth" })
    await clock.advance(0)
    expect(warnings()).toEqual(["WarningRaised Outage"])
  })

  test("L11: what opens well outweighs: as many as have failed, and one more", async () => {
    const opened = async (wells: number): Promise<ReadonlyArray<string>> => {
      const { backend, clock, failures, use, warnings } = make()
      for (let index = 0; index < wells; index++) use(`well ${index}`)
      await clock.advance(0)
      backend.down = true
      await failures(30)
      return warnings()
    }
    expect(await opened(31)).toEqual([])
    expect(await opened(30)).toEqual(["WarningRaised Outage"])
  })

  test("L11, L23: failures of long ago do not count", async () => {
    const { backend, clock, failures, warnings } = make()
    backend.down = true
    await failures(19)
    await clock.advance(30_000)
    await failures(19, "later ")
    expect(warnings()).toEqual([])
    await clock.advance(14_000)
    await failures(1, "one more ")
    expect(warnings()).toEqual(["WarningRaised Outage"])
  })

  test("L11, L23: those of the last fifteen seconds do, wherever a count of ours begins or ends", async () => {
    for (const begins of [0, 3000, 6000, 9000, 12_000]) {
      const { backend, clock, failures, use, warnings } = make()
      use("the first")
      await clock.advance(begins)
      backend.down = true
      await failures(10)
      await clock.advance(14_000)
      await failures(10, "later ")
      expect([begins, warnings()]).toEqual([begins, ["WarningRaised Outage"]])
    }
  })

  test("L11: openings that hang until their deadline count like any other", async () => {
    const { clock, failures, use, warnings } = make({ timeouts: { open: 2000 } }, (opening) =>
      opening.key.startsWith("f") ? new Promise(() => {}) : undefined,
    )
    const hang = await failures(20)
    await clock.advance(2000)
    for (const call of hang) expect(call.outcome).toBe("SessionOpenFailed TimedOut")
    expect(warnings()).toEqual(["WarningRaised Outage"])
    const refused = use("new")
    await clock.advance(0)
    expect(refused.outcome).toBe("SessionOpenFailed Failed")
    expect(fieldOf(refused, "cause")).toMatchObject({ _tag: "SessionOpenFailed", reason: "TimedOut" })
  })

  test("L11: openings that were given up, and lost or cancelled ones, say nothing about the backend", async () => {
    const { clock, sessions, use, warnings } = make({ restart: { delay: 0 } }, (opening) =>
      opening.key.startsWith("slow")
        ? new Promise((_, reject) => opening.signal.addEventListener("abort", reject))
        : undefined,
    )
    for (let index = 0; index < 40; index++)
      watch(
        clock,
        sessions.run(`slow ${index}`, () => {}, { timeout: 10 }),
      )
    for (let index = 0; index < 40; index++)
      watch(
        clock,
        sessions.run(`lost ${index}`, (thing) => thing.opening.broken("dead")),
      )
    await clock.advance(1000)
    expect(warnings()).toEqual([])
    const fine = use("new")
    await clock.advance(0)
    expect(fine.outcome).toContain("value")
  })

  test("L11: a call that must find its session live is told NotFound, in an outage too: it would open nothing", async () => {
    const { backend, clock, failures, sessions } = make()
    backend.down = true
    await failures(20)
    for (const key of ["nobody", "f0"]) {
      const finds = watch(
        clock,
        sessions.run(key, () => {}, { mustExist: true }),
      )
      await clock.advance(0)
      expect(`${key} ${finds.outcome}`).toBe(`${key} SessionRefused NotFound`)
    }
  })

  test("L18: in an outage explain and the error say when the key may be tried again", async () => {
    const { backend, clock, failures, sessions, use } = make()
    backend.down = true
    await failures(20)
    const refused = use("new")
    await clock.advance(0)
    expect(fieldOf(refused, "explanation")).toMatchObject({
      session: { key: "new" },
      state: "Closed",
      restarts: { left: 5, nextAt: 750 },
    })
    expect(sessions.explain("new").restarts.nextAt).toBe(750)
    expect(String(sessions.explain("new"))).toContain("Not opened before")
  })
})
