/** Every endpoint, over HTTP, of real sessions; each answer is decoded by its schema, and no field is unknown to it. */
import { describe, expect, it } from "vitest"
import { endpoints, type EndpointName } from "../src/protocol.ts"
import { ask, decode, hanging, raw, refusal, rooms, serve } from "./support.ts"

const scene = async () => {
  const chat = rooms()
  await chat.run({ owner: "ada", id: "one" }, () => 1, { name: "say" })
  const hang = hanging()
  const work = chat.run({ owner: "bob" }, hang.work, { name: "think" })
  const waits = chat.run({ owner: "bob" }, () => 2, { name: "say" })
  // A test that fails ends them as well.
  work.catch(() => {})
  waits.catch(() => {})
  await hang.began
  const { url } = await serve({ sessions: [chat] })
  return { chat, hang, url, kind: chat.name, over: async () => (hang.end(), Promise.all([work, waits])) }
}

describe("every endpoint", () => {
  it("answers what its schema says", async () => {
    const { kind, over, url } = await scene()
    const rows = (await ask(`${url}/sessions`, "sessions")).sessions.rows
    const tasks = (await ask(`${url}/tasks`, "tasks")).tasks.rows
    const act = await fetch(`${url}/actions`, {
      method: "POST",
      headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
      body: JSON.stringify({ action: "pin", kind, hash: rows[0].hash }),
    })
    const { record } = decode("act", await act.json()) as { record: { id: string } }
    const paths: {
      readonly [K in Exclude<EndpointName, "act" | "stream" | "profile" | "recording">]: string
    } = {
      about: "/about",
      overview: "/overview",
      kind: `/kinds/${kind}`,
      sessions: "/sessions?sort=-queued&limit=1",
      session: `/sessions/${kind}/${rows[0].hash}`,
      tasks: "/tasks?state=running",
      task: `/tasks/${kind}/${tasks[0].id}`,
      warnings: "/warnings",
      series: "/series?name=tasks",
      heatmap: "/heatmap?span=runs",
      events: "/events",
      snapshot: "/snapshot?view=overview,tasks,warnings,events,series",
      actions: "/actions",
      action: `/actions/${record.id}`,
    }
    expect(Object.keys(paths).toSorted()).toEqual(
      Object.keys(endpoints)
        .filter((name) => !["act", "stream", "profile", "recording"].includes(name))
        .toSorted(),
    )
    for (const [name, path] of Object.entries(paths))
      await expect(ask(`${url}${path}`, name as EndpointName)).resolves.toBeDefined()
    await over()
  })

  it("the overview has the numbers of the registry", async () => {
    const { kind, over, url } = await scene()
    const { kinds } = await ask(`${url}/overview`, "overview")
    expect(kinds).toHaveLength(1)
    expect(kinds[0]).toMatchObject({
      kind,
      phase: "accepting",
      limits: { maxSessions: 10_000, maxQueued: 64, concurrency: 1, idleTimeoutMs: 900_000 },
      gauges: { live: 2, idle: 1, running: 1, queued: 1, leases: 0, warnings: 0 },
      totals: { outcomes: { succeeded: 1 }, acquisitions: { miss: 2 } },
    })
    expect(kinds[0].limits).not.toHaveProperty("maxPerOwner")
    expect(kinds[0].durations.runs).toMatchObject({ count: 1 })
    expect(kinds[0].durations.closes).toEqual({ count: 0, sumMs: 0, meanMs: 0 })
    await over()
    const names = (await ask(`${url}/kinds/${kind}`, "kind")).tasks
    expect(
      names.map(({ name, outcomes }: never) => [name, (outcomes as { succeeded: number }).succeeded]),
    ).toEqual(
      expect.arrayContaining([
        ["say", 2],
        ["think", 1],
      ]),
    )
  })

  it("a session's detail says why it is alive and what waits", async () => {
    const { chat, hang, kind, over, url } = await scene()
    const [row] = (await ask(`${url}/sessions?idle=false`, "sessions")).sessions.rows
    const { session } = await ask(`${url}/sessions/${kind}/${row.hash}`, "session")
    expect(session.session).toEqual(row)
    expect(session.alive.map(({ kind: what, name }: never) => [what, name])).toEqual([
      ["turn", "think"],
      ["waiter", "say"],
    ])
    expect(
      session.tasks.map(({ task, waitsFor, behind }: never) => [
        (task as { name: string }).name,
        waitsFor,
        behind,
      ]),
    ).toEqual([
      ["think", undefined, 0],
      ["say", "turn", 1],
    ])
    expect(session.generations).toEqual([
      { generation: 1, serial: session.serial, failed: false, openedAt: expect.any(Number) },
    ])
    expect(session.words).toContain(`session ${row.hash} is Ready`)
    await over()
    // Idle, it says when it closes; closed, how it ended.
    const idle = await ask(`${url}/sessions/${kind}/${row.hash}`, "session")
    expect(idle.session.session.closesAt - idle.session.session.idleSince).toBeCloseTo(900_000, -1)
    await chat.close({ owner: "bob" })
    const closed = await ask(`${url}/sessions/${kind}/${row.hash}`, "session")
    expect(closed.session).toMatchObject({
      ended: { reason: "Requested" },
      session: { state: "Closed", running: 0 },
    })
    hang.end()
  })

  it("a task's detail knows its session, its peers and the tasks it called", async () => {
    const inner = rooms()
    const outer = rooms()
    const hang = hanging()
    const work = outer.run("a", () => inner.run("b", hang.work, { name: "inner" }), { name: "outer" })
    await hang.began
    const { url } = await serve({ sessions: [inner, outer] })
    const { rows } = (await ask(`${url}/tasks`, "tasks")).tasks
    const [called, calling] = ["inner", "outer"].map((name) =>
      rows.find((row: { readonly name: string }) => row.name === name),
    )
    expect(calling.waitsForCall).toBe(true)
    const { task } = await ask(`${url}/tasks/${calling.kind}/${calling.id}`, "task")
    expect(task.children.map(({ row }: never) => row)).toEqual([called.row])
    expect(task.peers).toMatchObject({ name: "outer", started: 1 })
    expect(called.parent).toEqual({
      kind: outer.name,
      session: calling.session,
      id: calling.id,
      name: "outer",
    })
    hang.end()
    await work
    const ended = await ask(`${url}/tasks/${calling.kind}/${calling.id}`, "task")
    expect(ended.task.task).toMatchObject({ state: "succeeded", endedAt: expect.any(Number) })
    const list = (await ask(`${url}/tasks?ended=true`, "tasks")).tasks
    expect(list.facets.state.succeeded).toBe(2)
  })

  it("what has ended tells what it was, who called it, and how it was stopped; no key is among that", async () => {
    const chat = rooms()
    const secret = "ada\u202e<b>\u001b[31m"
    const leave = new AbortController()
    const cancelled = chat
      .run(
        { owner: secret },
        (_, { signal }) =>
          chat.run(
            { owner: "bob" },
            () =>
              new Promise((_resolve, reject) => {
                signal.addEventListener("abort", () => reject(new Error("left")))
                leave.abort()
              }),
            { name: "inner" },
          ),
        { name: `outer ${secret}`, signal: leave.signal },
      )
      .catch(() => "told")
    for await (const element of chat.stream(
      "s",
      async function* () {
        yield 1
      },
      { name: "tell" },
    ))
      expect(element).toBe(1)
    expect(await cancelled).toBe("told")
    const { url } = await serve({ sessions: [chat] })
    const answer = await ask(`${url}/tasks?ended=true`, "tasks")
    expect(JSON.stringify(answer)).not.toContain("ada")
    const { facets, rows } = answer.tasks
    expect([facets.type.stream, facets.type.turn]).toEqual([1, 2])
    const of = (name: string) => rows.find((row: { readonly name: string }) => row.name.startsWith(name))
    expect(of("tell")).toMatchObject({ type: "stream", state: "succeeded" })
    expect(of("tell").toldAt).toBeUndefined()
    expect(of("outer")).toMatchObject({
      type: "turn",
      state: "cancelled",
      cut: "Cancelled",
      toldAt: expect.any(Number),
      abandoned: false,
    })
    expect(of("inner")).toMatchObject({ cut: "CallerStopped", parent: { id: of("outer").id } })
    const streams = (await ask(`${url}/tasks?ended=true&type=stream`, "tasks")).tasks
    expect(streams.rows.map(({ name }: never) => name)).toEqual(["tell"])
    const { task } = await ask(`${url}/tasks/${chat.name}/${of("inner").id}`, "task")
    expect(task.stop).toMatchObject({ reason: "CallerStopped", from: [{ task: { id: of("outer").id } }] })
  })

  it("an answer that has not changed is not sent again", async () => {
    const { over, url } = await scene()
    const one = await fetch(`${url}/sessions`)
    const etag = one.headers.get("etag") ?? ""
    expect(etag).toMatch(/^W\//)
    const two = await fetch(`${url}/sessions`, { headers: { "if-none-match": `"other", ${etag}` } })
    expect([two.status, await two.text()]).toEqual([304, ""])
    await over()
    const three = await fetch(`${url}/sessions`, { headers: { "if-none-match": etag } })
    expect(three.status).toBe(200)
    expect(three.headers.get("etag")).not.toBe(etag)
  })

  it("HEAD has the headers and no body; other methods are refused with what is allowed", async () => {
    const { over, url } = await scene()
    const head = await raw(url, { method: "HEAD", path: "/sessions" })
    expect([head.status, head.text, head.headers.etag !== undefined]).toEqual([200, "", true])
    for (const [path, method, allow] of [
      ["/sessions", "POST", "GET, HEAD"],
      ["/actions", "DELETE", "GET, HEAD, POST"],
      ["/stream", "PUT", "GET, HEAD"],
      ["/openapi.json", "OPTIONS", "GET, HEAD"],
    ] as const) {
      const answer = await raw(url, { path, method })
      expect([answer.status, answer.headers.allow]).toEqual([405, allow])
    }
    expect((await raw(url, { method: "HEAD", path: "/stream?view=overview" })).status).toBe(200)
    await over()
  })

  it.each([
    "/nothing",
    "/",
    "/sessions/",
    "/sessions/none/0123456789abcdef",
    "/sessions/x/y/z",
    "/kinds/none",
    "/kinds/%ff",
    "/tasks/none/t1",
    "/actions/none",
    "/../../etc/passwd",
    "//sessions",
    "/__proto__",
    "/constructor",
  ])("%s is not there", async (path) => {
    const { over, url } = await scene()
    expect((await raw(url, { path })).status).toBe(404)
    await over()
  })

  it.each([
    "/sessions?limit=201",
    "/sessions?limit=0",
    "/sessions?limit=1e9",
    "/sessions?offset=-1",
    "/sessions?sort=key",
    "/sessions?sort=--turns",
    "/sessions?state=Dead",
    "/sessions?misspelt=1",
    "/sessions?limit=5&limit=6",
    "/sessions?__proto__=1",
    `/sessions?text=${"x".repeat(129)}`,
    `/sessions?${"kind=a&".repeat(51)}`,
    "/tasks?session=nowhere",
    "/tasks?ended=maybe",
    "/overview?limit=1",
    "/heatmap",
    "/series?points=4000",
    "/stream",
    "/stream?view=nothing",
    "/stream?view=sessions,tasks",
    "/stream?view=session",
    "/stream?view=overview&everyMs=10",
    "/snapshot?view=overview&state=Dead",
  ])("%s is refused", async (path) => {
    const { over, url } = await scene()
    const problem = await refusal(await fetch(`${url}${path}`))
    expect([problem.answered, problem.code, problem.sent]).toEqual([
      400,
      "bad-request",
      "application/problem+json",
    ])
    expect(JSON.stringify(problem)).not.toMatch(/\.ts|node_modules|at .*\(/)
    await over()
  })

  it("a longer address than anybody needs is refused", async () => {
    const { over, url } = await scene()
    expect((await raw(url, { path: `/sessions?text=${"x".repeat(9000)}` })).status).toBe(413)
    await over()
  })
})
