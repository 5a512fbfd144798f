import { describe, expect, test, vi } from "vitest"
import { start } from "./programs/start.ts"
import { versions } from "./versions.ts"

// It starts a process; on a busy machine that alone may take seconds.
vi.setConfig({ testTimeout: 30_000 })

describe.each(versions)("$name: hot reload", ({ name }) => {
  test("L1: a module that is evaluated again keeps its live sessions and what runs in them", async () => {
    const program = start("reload", [name])
    // A second registry of the name would be told as a warning.
    expect(await program.exit).toEqual({ code: 0, signal: null, stderr: "" })
    expect(program.lines).toEqual([
      { openedBy: 1, turns: 1, answeredBy: 1 },
      { openedBy: 1, turns: 2, answeredBy: 1 },
      "begun",
      { openedBy: 1, turns: 3, answeredBy: 2 },
      { openedBy: 1, slow: true },
      { openedBy: 2, turns: 1, answeredBy: 2 },
      { openedBy: 1, turns: 4, answeredBy: 3 },
      ["counter"],
      "restarted",
      { openedBy: 3, turns: 1, answeredBy: 3 },
    ])
  })
})
