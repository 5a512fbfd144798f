import { expect, test } from "vitest"
import { start } from "./start.ts"

test("query: a database in process answers, and the program ends by itself", async () => {
  const { code, stdout, stderr } = await start("query.ts").exit
  expect(stderr).toBe("")
  expect(stdout).toMatch(/^\[ \{ n: 1 \} \] .*alice is Ready \(generation 1\)/)
  expect(code).toBe(0)
})
