/** Real databases, real HTTP. An opening takes seconds, so tests that can share a session do. */
import type { Problem } from "@sojourn/express"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { createApp } from "../src/app.ts"
import { createNotebooks, placesFor, type NotebookPolicy } from "../src/notebook.ts"
import { maxRows } from "../src/runSql.ts"
import { html } from "../src/page.ts"
import { serve } from "../src/serve.ts"
import { Visitor } from "../src/visitor.ts"

const start = async (policy: NotebookPolicy) => {
  const notebooks = createNotebooks(policy)
  const happened: Array<string> = []
  notebooks.subscribe((event) => {
    if (event._tag === "Opened" || event._tag === "Lost") happened.push(event._tag)
    if (event._tag === "Closed") happened.push(`Closed: ${event.reason}`)
  })
  const { server, url } = await serve(createApp({ notebooks, secret: "a secret of the tests" }))
  const stop = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await notebooks.drain({ finishWithin: 0 })
  }
  return { notebooks, happened, url, stop }
}
type Running = Awaited<ReturnType<typeof start>>
const opening = 30_000

describe("two visitors", () => {
  // In one process with the server a test waits for whatever the others compute.
  vi.setConfig({ testTimeout: opening })
  let running: Running
  let alice: Visitor
  let bob: Visitor
  beforeAll(async () => {
    running = await start({})
    ;[alice, bob] = [new Visitor(running.url), new Visitor(running.url)]
    await Promise.all([alice.query("create table mine as select 'alice' as whose"), bob.query("select 1")])
  }, 2 * opening)
  afterAll(() => running.stop(), opening)

  test("L1: each has a database of their own, opened once, with the data set in it", async () => {
    const count =
      "select (select count(*) from cars), (select count(*) from movies), (select count(*) from airports)"
    const answers = await Promise.all([alice.query(count), alice.query(count), bob.query(count)])
    for (const { body } of answers) expect(body.rows).toEqual([["406", "3201", "3376"]])
    expect(running.happened).toEqual(["Opened", "Opened"])
    const { body } = await alice.query(
      "select title, release_date, worldwide_gross, imdb_rating from movies where title = 'Toy Story'",
    )
    expect(body.rows).toEqual([["Toy Story", "1995-11-22", "361948825", "8.2"]])
    expect(body.columns?.map((column) => column.numeric)).toEqual([false, false, true, true])
  })

  test("L19: neither sees the other's tables", async () => {
    expect((await alice.query("select whose from mine")).body.rows).toEqual([["alice"]])
    const other = await bob.query("select whose from mine")
    expect(other.status).toBe(400)
    expect(other.body.title).toBe('relation "mine" does not exist')
  })

  test("L5: a bad query says what is wrong with it, and the session stays as it was", async () => {
    const before = await alice.look()
    const bad = await alice.query("select nothing from cars")
    expect(bad.status).toBe(400)
    expect(bad.body).toMatchObject({
      title: 'column "nothing" does not exist',
      status: 400,
      sql: { code: "42703", position: "8" },
    })
    expect((await alice.query("select 1/0")).body.title).toBe("division by zero")
    expect((await alice.query("select 1; select 2")).status).toBe(400)
    expect((await alice.query("select whose from mine")).body.rows).toEqual([["alice"]])
    expect((await alice.look()).generation).toBe(before.generation)
  })

  test("more rows than the limit are never made, also of a result without end", async () => {
    const { body } = await alice.query(
      "with recursive n(n) as (select 1 union all select n + 1 from n) select n from n",
    )
    expect(body.rows).toHaveLength(maxRows)
    expect(body.more).toBe(true)
    const long = await alice.query("select repeat('x', 5000000)")
    expect(long.body.rows?.[0]?.[0]).toHaveLength(1001)
    expect((await alice.query(`select * from cars limit ${maxRows}`)).body.more).toBe(false)
  })

  test("a download has every row, as comma-separated values, and keeps nothing of what it does", async () => {
    const airports = await alice.download("select * from airports order by iata")
    expect(airports.status).toBe(200)
    expect(airports.headers.get("content-type")).toBe("text/csv; charset=utf-8")
    expect(airports.headers.get("content-disposition")).toBe('attachment; filename="query.csv"')
    const lines = (await airports.text()).split("\r\n")
    expect(lines).toHaveLength(3376 + 2)
    expect(lines[0]).toBe("iata,name,city,state,country,latitude,longitude")
    const odd = await alice.download(
      `select 'a,b' as "x""y", 'say "hi"' as q, e'1\\n2' as n, '' as e, null as u`,
    )
    expect(await odd.text()).toBe('"x""y",q,n,e,u\r\n"a,b","say ""hi""","1\n2","",\r\n')
    expect(await (await alice.download("select 1 as one where false")).text()).toBe("one\r\n")

    // What is wrong is a status, as of a query; and a download only reads.
    for (const [sql, status] of [
      ["selec 1", 400],
      ["select 1/0", 400],
      ["select count(*) from movies a, movies b, movies c", 422],
      ["create table never as select 1", 400],
      ["select 1; drop table mine", 400],
      ["select 1\0", 422],
    ] as const)
      expect([sql, (await alice.download(sql)).status]).toEqual([sql, status])
    expect((await alice.query("select whose from mine")).body.rows).toEqual([["alice"]])
    expect((await alice.query("select * from never")).status).toBe(400)
  })

  test("a download leaves a transaction as it was", async () => {
    await alice.query("begin")
    await alice.query("insert into mine values ('not for ever')")
    expect(await (await alice.download("select count(*) as n from mine")).text()).toBe("n\r\n2\r\n")
    expect((await alice.query("select count(*) from mine")).body.rows).toEqual([["2"]])
    await alice.query("rollback")
    expect((await alice.query("select count(*) from mine")).body.rows).toEqual([["1"]])
  })

  test("L2: a download that nobody reads on is given up, and the next query finds the database as it was", async () => {
    const endless =
      "with recursive n(n) as (select 1 union all select n + 1 from n) select n, repeat('x', 100) from n"
    const leaving = new AbortController()
    const response = await alice.download(endless, leaving.signal)
    const reader = response.body?.getReader()
    await reader?.read()
    leaving.abort()
    await vi.waitFor(() => expect(running.notebooks.snapshot().counts.running).toBe(0))
    expect((await alice.query("select whose from mine")).body.rows).toEqual([["alice"]])
    // One that is read to the end of what is allowed breaks off: it does not look complete.
    await expect(alice.download(endless).then((one) => one.text())).rejects.toThrow("terminated")
    expect((await alice.query("select whose from mine")).body.rows).toEqual([["alice"]])
  })

  test("work beyond the limit is refused before it starts", async () => {
    for (const sql of [
      "select count(*) from movies a, movies b, movies c",
      "select count(*) from generate_series(1, 10000000000)",
      "create table big as select a.title from movies a, movies b, movies c",
    ]) {
      const answer = await alice.query(sql)
      expect(answer.status).toBe(422)
      expect(answer.body.title).toContain("Too much work")
    }
  })

  test("hostile text is text", async () => {
    expect((await alice.query("select 1\u0000Q\u0000")).status).toBe(422)
    expect((await alice.query("select '\ud800<script>' as x")).body.rows).toEqual([["\ufffd<script>"]])
    expect((await alice.query("")).body).toMatchObject({ rows: [], command: "nothing to do" })
    expect((await alice.query("x".repeat(100_000))).status).toBe(413)
    const { body } = await alice.query(`select 1 as "<img src=x onerror=alert(1)>"`)
    expect(body.columns?.[0]?.name).toBe("<img src=x onerror=alert(1)>")
    const notJson = await fetch(`${running.url}/query`, {
      method: "POST",
      body: "{",
      headers: { "content-type": "application/json" },
    })
    expect(notJson.status).toBe(400)
    expect(notJson.headers.get("content-type")).toContain("application/problem+json")
    expect(await notJson.text()).not.toContain("node_modules")
  })

  test("L2, L5: a request that goes away stops waiting, and what it asked for never runs", async () => {
    // The server is in this process as well: a query that keeps the thread busy would keep the client from leaving.
    const [busy] = running.notebooks.snapshot().sessions
    if (busy === undefined) throw new Error("no session is live")
    const go = Promise.withResolvers<void>()
    const held = running.notebooks.run(busy.session, () => go.promise)
    const leaving = AbortSignal.timeout(100)
    const asked = [alice, bob].map((visitor) => visitor.query("create table never as select 1", leaving))
    expect((await Promise.allSettled(asked)).map((one) => one.status).toSorted()).toEqual([
      "fulfilled",
      "rejected",
    ])
    // The server is told a moment after the client has gone.
    await vi.waitFor(() => expect(running.notebooks.snapshot().counts.queued).toBe(0))
    go.resolve()
    await held
    const there = await Promise.all([alice, bob].map((visitor) => visitor.query("select * from never")))
    expect(new Set(there.map(({ status }) => status))).toEqual(new Set([200, 400]))
  })

  test("looking neither opens nor holds a session, and the page loads nothing from elsewhere", async () => {
    const carol = new Visitor(running.url)
    expect(await carol.look()).toMatchObject({ state: "Closed", generation: 0 })
    expect(await alice.look()).toMatchObject({ state: "Ready", generation: 1 })
    const page = await fetch(running.url)
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'; style-src 'sha256-")
    const text = await page.text()
    expect(text).not.toMatch(/(?:src|href)="(?!data:)/)
    expect(text).not.toMatch(/https?:\/\//)
    expect(running.happened).toEqual(["Opened", "Opened"])
  })

  test("L11: a statement that ends the database costs that database only; the next query gets a new one", async () => {
    const fatal = await bob.query("copy cars from stdin")
    expect(fatal.status).toBe(500)
    expect(fatal.body.title).toContain("did not survive")
    const { body } = await bob.query("select count(*) from cars")
    expect(body).toMatchObject({ rows: [["406"]], generation: 2 })
    expect((await alice.query("select whose from mine")).body.rows).toEqual([["alice"]])
  })
})

test(
  "a refusal is a problem that the page has words for",
  async () => {
    const { notebooks, url, stop } = await start({ maxSessions: 1 })
    try {
      const words = /const reasons = \{(.*?)\n {6}\}/s.exec(html)?.[1] ?? ""
      const refused = async (asked: Promise<Response>) => {
        const response = await asked
        expect(response.headers.get("content-type")).toBe("application/problem+json")
        const { error, status } = (await response.json()) as Problem
        expect(status).toBe(response.status)
        expect(words).toMatch(new RegExp(`\\n +${error?.reason}:`))
        return `${status} ${error?.reason}`
      }
      const alice = new Visitor(url)
      await alice.look()
      await alice.query("select 1")
      const [session] = notebooks.snapshot().sessions
      if (session === undefined) throw new Error("no session is live")
      const go = Promise.withResolvers<void>()
      const held = notebooks.run(session.session, () => go.promise)
      const waiting = Array.from({ length: 8 }, () => alice.query("select 1"))
      await vi.waitFor(() => expect(notebooks.snapshot().counts.queued).toBe(8))
      expect(await refused(alice.ask("select 1"))).toBe("429 MaxQueued")
      expect(await refused(new Visitor(url, "sojourn=forged").ask("select 1"))).toBe("401 InvalidKey")
      go.resolve()
      await held
      for (const { status } of await Promise.all(waiting)) expect(status).toBe(200)

      const ready = async () => (await fetch(`${url}/ready`)).status
      expect(await ready()).toBe(200)
      const drained = notebooks.drain()
      expect(await ready()).toBe(503)
      expect(await refused(alice.ask("select 1"))).toBe("503 Draining")
      await drained
    } finally {
      await stop()
    }
  },
  2 * opening,
)

test(
  "L8: a session that is not used is closed",
  async () => {
    const { happened, url, stop } = await start({ idleTimeout: 300, maxSessions: 1 })
    try {
      const visitor = new Visitor(url)
      await visitor.query("select 1")
      await vi.waitFor(() => expect(happened).toEqual(["Opened", "Closed: Idle"]), 5000)
      expect(await visitor.look()).toMatchObject({
        state: "Closed",
        explanation: expect.stringContaining("Idle") as string,
      })
    } finally {
      await stop()
    }
  },
  opening,
)

test("L9: as many databases as the memory has room for", () => {
  expect([0, 500e6, 1200e6, 2500e6, 64e9].map(placesFor)).toEqual([1, 1, 2, 4, 8])
})
