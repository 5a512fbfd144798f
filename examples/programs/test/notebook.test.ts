/** The test kit with a real database: the same definition that the programs place, in virtual time and under every trouble. */
import { PGlite } from "@electric-sql/pglite"
import { defineSession } from "@sojourn/core"
import { checkOpen, testSessions } from "@sojourn/core/testing"
import { expect, test } from "vitest"

const definition = defineSession({
  name: "notebook",
  module: import.meta.url,
  open: ({ use }) => use(PGlite.create()),
  handlers: { query: (db, sql: string) => db.query<{ n: number }>(sql) },
})
// A dozen databases, each opened in one to five seconds.
const opensMany = 180_000

test("L4: open keeps the rules", { timeout: opensMany }, async () => {
  await expect(
    checkOpen(definition.open, { task: (db) => db.query("select 1"), timeout: "1 minute" }),
  ).resolves.toBe(undefined)
})

test("L8: an unused notebook is closed", { timeout: opensMany }, async () => {
  await using kit = testSessions(definition)
  await kit.sessions.call("alice").query("select 1")
  await kit.advance("15 minutes")
  expect(kit.log).toEqual(["alice#1 opened", "alice#1 closed: Idle"])
})
