/** One session per key, and nothing between two keys. */
import { expect, test } from "vitest"
import type { Serve } from "../App.ts"
import { answer } from "../client/answer.ts"
import { until } from "../client/until.ts"
import { as, type Counter } from "../fixture.ts"

export const sessions = (serve: Serve): void => {
  const alice = { headers: as("alice") }

  test("L1: first requests that race open one session, which the next one finds", async () => {
    const gate = Promise.withResolvers<void>()
    const app = await serve({ opening: () => gate.promise })
    const racing = Array.from({ length: 50 }, () => app.request("/counters/a", alice))
    await until(() => app.sessions.explain({ owner: "alice", id: "a" }).tasks.length === 50)
    gate.resolve()
    const turns = await Promise.all(racing.map(async (one) => ((await (await one).json()) as Counter).turns))
    expect(turns.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1))
    expect(await answer(app, "/counters/a", "alice")).toEqual({ owner: "alice", id: "a", turns: 51 })
    expect(app.opened).toEqual(["alice/a"])
  })

  test("L19: one id of two owners is two sessions", async () => {
    const app = await serve()
    expect(await answer(app, "/counters/a", "alice")).toEqual({ owner: "alice", id: "a", turns: 1 })
    expect(await answer(app, "/counters/a", "bob")).toEqual({ owner: "bob", id: "a", turns: 1 })
    expect(await answer(app, "/counters/a", "alice")).toEqual({ owner: "alice", id: "a", turns: 2 })
  })

  test("L19: no id reaches another owner's session", async () => {
    const app = await serve()
    await answer(app, "/counters/a", "alice")
    await answer(app, "/mine", "alice")
    const { key } = app.sessions.explain({ owner: "alice", id: "a" }).session
    for (const id of [
      key,
      "alice",
      "alice~a",
      "alice~",
      "alice/a",
      "../alice/a",
      "alice=7ea",
      "~",
      "/",
      "a",
    ]) {
      for (const path of [`/counters/${encodeURIComponent(id)}`, `/found?id=${encodeURIComponent(id)}`])
        expect(await answer(app, path, "mallory")).toMatchObject({ owner: "mallory", id })
    }
    expect(await answer(app, "/files/alice/a", "mallory")).toMatchObject({ owner: "mallory" })
    expect(await answer(app, "/counters/a", "alice")).toEqual({ owner: "alice", id: "a", turns: 2 })
  })

  test("L19: the owner's only session is none of those with an id", async () => {
    const app = await serve()
    await answer(app, "/mine", "alice")
    expect(await answer(app, "/counters/alice", "alice")).toMatchObject({ turns: 1 })
    expect(await answer(app, "/mine", "alice")).toMatchObject({ turns: 2 })
  })

  test("L19: one key in two registries is two sessions", async () => {
    const app = await serve()
    await answer(app, "/counters/a", "alice")
    expect(await answer(app, "/others/a", "alice")).toMatchObject({ turns: 1 })
    expect(await answer(app, "/counters/a", "alice")).toMatchObject({ turns: 2 })
  })

  test("L2: requestKey gives the key that fromRequest uses", async () => {
    const app = await serve()
    await answer(app, "/counters/a", "alice")
    expect(await answer(app, "/keys/a", "alice")).toEqual({ owner: "alice", id: "a", turns: 2 })
  })

  test("L2: a query finds the session that a path does", async () => {
    const app = await serve()
    await answer(app, "/counters/a", "alice")
    expect(await answer(app, "/found?id=a", "alice")).toMatchObject({ turns: 2 })
  })
}
