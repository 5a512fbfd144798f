import type { SessionError } from "@sojourn/core"
import { Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, expectTypeOf, test } from "vitest"
import { Agent } from "../src/workspaces/Agent.ts"
import { Database, type ConnectError, type QueryError, type Row } from "../src/workspaces/Database.ts"
import { Models } from "../src/workspaces/Models.ts"
import type { Workspaces as WorkspacesService } from "../src/workspaces/workspaces.ts"
import { start } from "./start.ts"

const data = mkdtempSync(join(tmpdir(), "workspaces-"))
afterAll(() => rmSync(data, { recursive: true }))
process.env["DATA"] = data
// Only now: it reads the folder when it is loaded.
const { rows, Workspaces } = await import("../src/workspaces/workspaces.ts")

describe("workspaces", () => {
  test("the program opens a session, queries it, releases everything and exits 0", async () => {
    const { code, stdout, stderr } = await start("workspaces/main.ts").exit
    expect(stderr).toBe("")
    expect(stdout).toMatch(/models loaded\n\[ .*\{ '1': 1 \} \]\n.*models released$/)
    expect(code).toBe(0)
  })

  test("L17: a database that cannot be opened is told with its own error", async () => {
    const file = import.meta.filename // where a folder would have to be
    const { code, stdout } = await start("workspaces/main.ts", { DATA: file }).exit
    expect(stdout).toMatch(/models loaded\n.*ERROR .*\n\[\]\n.*models released$/)
    expect(stdout).toContain(`${file}/alice`)
    expect(code).toBe(0)
  })

  test("the type of a run says what can go wrong and what is still needed", () => {
    expectTypeOf(rows).toEqualTypeOf<
      Effect.Effect<ReadonlyArray<Row>, QueryError | SessionError<ConnectError>, WorkspacesService>
    >()
  })

  test("L1, L19: what the application provides is shared, what the session's layer builds is not", async () => {
    const log: Array<string> = []
    const note = (line: string) => Effect.sync(() => void log.push(line))
    const models = Layer.effect(
      Models,
      Effect.acquireRelease(
        note("models loaded").pipe(
          Effect.as({ complete: (messages: ReadonlyArray<string>) => Effect.succeed(messages.join(", ")) }),
        ),
        () => note("models released"),
      ),
    )
    const ask = (key: string, question: string) =>
      Workspaces.run(
        key,
        Effect.flatMap(Agent, (agent) => agent.ask(question)),
      )
    const query = (key: string, sql: string) =>
      Workspaces.run(
        key,
        Effect.flatMap(Database, (db) => db.query(sql)),
      )
    const program = Effect.gen(function* () {
      const both = Effect.all([ask("carol", "one"), ask("dave", "two")], { concurrency: "unbounded" })
      expect(yield* both).toEqual(["one", "two"])
      expect(yield* ask("carol", "three")).toBe("one, three")
      const sql = "create table notes (text text)"
      yield* query("carol", sql)
      yield* query("dave", sql)
      expect(yield* Effect.flip(query("carol", sql))).toMatchObject({ _tag: "QueryError", sql })
      expect((yield* Workspaces.explain("carol")).session.generation).toBe(1)
      yield* note("done")
    })
    await Effect.runPromise(program.pipe(Effect.provide(Workspaces.layer.pipe(Layer.provide(models)))))
    expect(log).toEqual(["models loaded", "done", "models released"])
  })
})
