/** What is done, what is said of it, and that it is never more than was agreed to. */
import type { SessionRef } from "@sojourn/core"
import { describe, expect, it, vi } from "vitest"
import type { ActionRecord } from "../src/index.ts"
import { ask, decode, hanging, post, refusal, rooms, serve } from "./support.ts"

const acted = async (url: string, action: object): Promise<ActionRecord & { readonly status: number }> => {
  const response = await post(url, action)
  const { record } = decode("act", await response.json()) as unknown as { record: ActionRecord }
  return { status: response.status, ...record }
}
const rowsOf = async (url: string, query = "") =>
  (await ask(`${url}/sessions?${query}`, "sessions")).sessions.rows
const tasksOf = async (url: string, query = "") => (await ask(`${url}/tasks?${query}`, "tasks")).tasks.rows

describe("cancel", () => {
  it("a task that ends when it is told: ended", async () => {
    const a = rooms()
    const work = a.run(
      "x",
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error))
        }),
    )
    const failed = work.then(
      () => "not at all",
      (error: { readonly reason: string }) => error.reason,
    )
    const { url } = await serve({ sessions: [a] })
    await vi.waitFor(async () => expect(await tasksOf(url, "state=running")).toHaveLength(1))
    const [task] = await tasksOf(url)
    const done = await acted(url, { action: "cancelTask", kind: a.name, hash: task.session, task: task.id })
    expect(done).toMatchObject({ status: 200, state: "ended", affected: 1, unended: 0, task: task.id })
    expect(await failed).toBe("Cancelled")
  })

  it("a task that runs on is interrupting, and ended only when it has ended", async () => {
    const a = rooms()
    const hang = hanging()
    const work = a.run("x", hang.work)
    work.catch(() => {})
    await hang.began
    const { url } = await serve({ sessions: [a] })
    const [task] = await tasksOf(url)
    const done = await acted(url, { action: "cancelTask", kind: a.name, hash: task.session, task: task.id })
    expect(done).toMatchObject({ status: 202, state: "interrupting", affected: 1, unended: 1 })
    expect(done).not.toHaveProperty("endedAt")
    // Its caller has its outcome; the row says what is really so.
    await expect(work).rejects.toMatchObject({ reason: "Cancelled" })
    expect((await tasksOf(url))[0]).toMatchObject({ id: task.id, state: "stopping", cut: "Cancelled" })
    const again = async () => (await ask(`${url}/actions/${done.id}`, "action")).record as ActionRecord
    expect((await again()).state).toBe("interrupting")
    hang.end()
    await vi.waitFor(async () => expect(await again()).toMatchObject({ state: "ended", unended: 0 }))
  })

  it("one that is given up is abandoned, and ended when it ends after all", async () => {
    const a = rooms({ timeouts: { grace: 50 } })
    const hang = hanging()
    const work = a.run("x", hang.work)
    work.catch(() => {})
    await hang.began
    const { url } = await serve({ sessions: [a] })
    const [task] = await tasksOf(url)
    const action = acted(url, { action: "cancelTask", kind: a.name, hash: task.session, task: task.id })
    // Somebody needs its slot: then its grace counts.
    await a.run("x", () => 1)
    const { id } = await action
    const again = async () => (await ask(`${url}/actions/${id}`, "action")).record as ActionRecord
    await vi.waitFor(async () => expect(await again()).toMatchObject({ state: "abandoned", unended: 1 }))
    hang.end()
    await vi.waitFor(async () => expect(await again()).toMatchObject({ state: "ended", unended: 0 }))
  })

  it("a task that is gone: nothing", async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const [row] = await rowsOf(url)
    const done = await acted(url, { action: "cancelTask", kind: a.name, hash: row.hash, task: "t999" })
    expect(done).toMatchObject({ status: 200, state: "nothing", affected: 0 })
  })

  it("all that match, and none where there are more than was agreed to", async () => {
    const a = rooms({ maxQueued: 1000 })
    const hang = hanging()
    const failures: Array<Promise<unknown>> = []
    const run = (key: string, name: string) => {
      const work = a.run(key, hang.work, { name })
      failures.push(
        work.then(
          () => "done",
          () => "cancelled",
        ),
      )
    }
    for (let index = 0; index < 300; index++) run(`s${index % 3}`, index % 2 === 0 ? "even" : "odd")
    await hang.began
    const { url } = await serve({ sessions: [a] })
    const filter = { name: ["odd"], state: ["queued"] }
    const total = (await ask(`${url}/tasks?name=odd&state=queued`, "tasks")).tasks.total as number
    expect(total).toBe(149)
    const refused = await refusal(await post(url, { action: "cancelTasks", filter, expected: total - 1 }))
    expect([refused.answered, refused.code, refused.count]).toEqual([409, "count-differs", total])
    expect((await ask(`${url}/tasks?name=odd&state=queued`, "tasks")).tasks.total).toBe(total)
    const done = await acted(url, { action: "cancelTasks", filter, expected: total })
    expect(done).toMatchObject({ state: "ended", affected: total, unended: 0 })
    const left = (await ask(`${url}/tasks`, "tasks")).tasks
    expect(left.total).toBe(300 - total)
    expect(left.facets.name).toEqual(expect.arrayContaining([{ name: "odd", count: 1 }]))
    hang.end()
    const ends = await Promise.all(failures)
    expect(ends.filter((end) => end === "cancelled")).toHaveLength(total)
  })

  it("all turns of sessions that have hundreds, work in the background too", async () => {
    const a = rooms({ maxQueued: 5000 })
    const hang = hanging()
    const works = Array.from({ length: 2000 }, () =>
      a.run("x", hang.work).then(
        () => 1,
        () => 0,
      ),
    )
    await hang.began
    await a.run("y", (_, task) => void task.background("behind", hang.work))
    const { url } = await serve({ sessions: [a] })
    const done = await acted(url, { action: "cancelTasks", filter: {}, expected: 2001 })
    expect(done.affected).toBe(2001)
    hang.end()
    expect((await Promise.all(works)).reduce((sum, one) => sum + one, 0)).toBe(0)
    await vi.waitFor(async () =>
      expect((await ask(`${url}/actions/${done.id}`, "action")).record.state).toBe("ended"),
    )
  })
})

describe("sessions", () => {
  it("restart replaces the resource, close ends the session", async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const [row] = await rowsOf(url)
    const restarted = await acted(url, { action: "restart", kind: a.name, hash: row.hash })
    expect(restarted).toMatchObject({ status: 200, state: "ended", affected: 1, leaked: false })
    await a.run("x", () => 1)
    expect(a.explain("x").session.serial).toBe(2)
    expect(await acted(url, { action: "close", kind: a.name, hash: row.hash })).toMatchObject({
      state: "ended",
    })
    expect(await rowsOf(url)).toEqual([])
    expect(await acted(url, { action: "close", kind: a.name, hash: row.hash })).toMatchObject({
      state: "nothing",
    })
    expect(a.explain("x").ended?.reason).toBe("Requested")
  })

  it("a close that takes long is closing until it is over", async () => {
    const hang = hanging()
    const a = rooms({
      open: (async ({ use }: { use: (r: object, release: () => unknown) => Promise<unknown> }) =>
        use({}, () => hang.work())) as never,
    })
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const [row] = await rowsOf(url)
    const done = await acted(url, { action: "close", kind: a.name, hash: row.hash })
    expect(done).toMatchObject({ status: 202, state: "closing", unended: 1 })
    hang.end()
    await vi.waitFor(async () =>
      expect((await ask(`${url}/actions/${done.id}`, "action")).record).toMatchObject({
        state: "ended",
        unended: 0,
      }),
    )
  })

  it("evictIdle closes the longest idle ones, as many as agreed to, and keeps what they saved", async () => {
    const a = rooms({
      open: (({ restored, save }: { restored: unknown; save: (state: () => unknown) => void }) => {
        const room = { key: "", turns: (restored as number | undefined) ?? 0 }
        save(() => room.turns)
        return room
      }) as never,
    })
    const use = (key: string) => a.run(key, (room) => ++(room as unknown as { turns: number }).turns)
    for (const key of ["one", "two", "three"]) await use(key)
    const hang = hanging()
    const work = a.run("one", hang.work)
    await hang.began
    const { url } = await serve({ sessions: [a] })
    const done = await acted(url, { action: "evictIdle", kind: a.name, expected: 1 })
    expect(done.affected).toBe(1)
    await vi.waitFor(() => expect(a.explain("two").ended?.reason).toBe("Evicted"))
    expect(await use("two")).toBe(2)
    expect(
      await acted(url, { action: "evictIdle", kind: a.name, expected: 10, idleForMs: 60_000 }),
    ).toMatchObject({
      state: "nothing",
      affected: 0,
    })
    expect(await acted(url, { action: "evictIdle", kind: a.name, expected: 10 })).toMatchObject({
      affected: 2,
    })
    expect(a.explain("one").state).toBe("Ready")
    hang.end()
    await work
  })

  it("a pin is a lease: seen, bounded, and released", async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { handler, url } = await serve({ sessions: [a] })
    const [row] = await rowsOf(url)
    const pinned = await acted(url, { action: "pin", kind: a.name, hash: row.hash, forMs: 60_000 })
    expect(pinned).toMatchObject({ state: "ended", affected: 1 })
    expect((pinned.until ?? 0) - pinned.startedAt).toBeGreaterThan(59_000)
    const [now] = await rowsOf(url)
    expect(now).toMatchObject({ pinned: true, leases: 1 })
    expect(now).not.toHaveProperty("closesAt")
    const { session } = await ask(`${url}/sessions/${a.name}/${row.hash}`, "session")
    expect(session.alive).toMatchObject([{ kind: "lease", name: "inspector pin" }])
    expect(session.alive[0].expiresAt - session.alive[0].since).toBe(60_000)
    // Once more is the same pin, for longer.
    await acted(url, { action: "pin", kind: a.name, hash: row.hash })
    expect((await rowsOf(url))[0].leases).toBe(1)
    expect(await acted(url, { action: "unpin", kind: a.name, hash: row.hash })).toMatchObject({ affected: 1 })
    expect(await acted(url, { action: "unpin", kind: a.name, hash: row.hash })).toMatchObject({
      state: "nothing",
    })
    expect((await rowsOf(url))[0]).toMatchObject({ pinned: false, leases: 0 })
    await acted(url, { action: "pin", kind: a.name, hash: row.hash })
    handler[Symbol.dispose]()
    await vi.waitFor(() => expect(a.explain("x").alive).toEqual([]))
  })

  it("a pin ends with its session", async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const [row] = await rowsOf(url)
    await acted(url, { action: "pin", kind: a.name, hash: row.hash })
    await a.close("x")
    const refused = await refusal(await post(url, { action: "pin", kind: a.name, hash: row.hash }))
    expect([refused.answered, refused.code]).toEqual([409, "not-possible"])
    await a.run("x", () => 1)
    expect((await rowsOf(url))[0]).toMatchObject({ pinned: false })
  })

  it("drain wants the registry's name typed once more", async () => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a] })
    const refused = await refusal(await post(url, { action: "drain", kind: a.name, confirm: "x" }))
    expect([refused.answered, refused.code]).toEqual([409, "not-confirmed"])
    expect((await ask(`${url}/overview`, "overview")).kinds[0].phase).toBe("accepting")
    const done = await acted(url, { action: "drain", kind: a.name, confirm: a.name, finishWithinMs: 0 })
    expect(done).toMatchObject({ state: "ended", affected: 1, leaked: false })
    expect((await ask(`${url}/overview`, "overview")).kinds[0].phase).toBe("drained")
  })

  it("mute and unmute", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const muted = await acted(url, { action: "mute", warning: "L01", forMs: 60_000 })
    expect(muted).toMatchObject({ state: "ended", warning: "L01", affected: 1 })
    expect(await acted(url, { action: "unmute", warning: "L01" })).toMatchObject({ affected: 1 })
    expect(await acted(url, { action: "unmute", warning: "L01" })).toMatchObject({ state: "nothing" })
    const refused = await refusal(await post(url, { action: "mute", warning: "L99" }))
    expect(refused.answered).toBe(404)
  })

  it("what is not there is not found", async () => {
    const a = rooms()
    const { url } = await serve({ sessions: [a] })
    for (const action of [
      { action: "close", kind: "none", hash: "0123456789abcdef" },
      { action: "close", kind: a.name, hash: "0123456789abcdef" },
      { action: "drain", kind: "none", confirm: "none" },
    ])
      expect((await refusal(await post(url, action))).answered).toBe(404)
    expect((await ask(`${url}/actions`, "actions")).records).toEqual([])
  })
})

describe("the record", () => {
  it("is told before anything is done, and kept", async () => {
    const a = rooms()
    await a.run({ owner: "ada", id: "x" }, () => 1)
    const told: Array<[string, SessionRef | undefined, ActionRecord]> = []
    const { url } = await serve({
      sessions: [a],
      onAction: (by, action, session, record) => {
        expect(by.headers["x-user"]).toBe("ada")
        expect(a.explain({ owner: "ada", id: "x" }).state).toBe("Ready")
        told.push([action, session, record])
      },
    })
    const [row] = await rowsOf(url)
    await post(url, { action: "close", kind: a.name, hash: row.hash }, { "x-user": "ada" })
    expect(told).toMatchObject([
      [
        "close",
        { owner: "ada", id: "x", name: a.name },
        { action: "close", state: "asked", session: row.hash },
      ],
    ])
    const { records } = await ask(`${url}/actions`, "actions")
    expect(records).toMatchObject([{ action: "close", state: "ended", by: "operate", session: row.hash }])
    expect(records[0].id).toBe(told[0]?.[2].id)
  })

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("the log is full")
      },
    ],
    ["rejects", () => Promise.reject(new Error("the log is full"))],
  ])("where it %s nothing is done", async (_, onAction) => {
    const a = rooms()
    await a.run("x", () => 1)
    const { url } = await serve({ sessions: [a], onAction })
    const [row] = await rowsOf(url)
    const refused = await refusal(await post(url, { action: "close", kind: a.name, hash: row.hash }))
    expect([refused.answered, refused.code]).toEqual([500, "not-recorded"])
    expect(JSON.stringify(refused)).not.toContain("full")
    expect(await rowsOf(url)).toHaveLength(1)
    expect((await ask(`${url}/actions`, "actions")).records).toEqual([])
  })

  it("holds the last two hundred", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    for (let index = 0; index < 210; index++) await post(url, { action: "unmute", warning: `w${index}` })
    const { records } = await ask(`${url}/actions`, "actions")
    expect(records).toHaveLength(200)
    expect(records[0].warning).toBe("w209")
  })
})
