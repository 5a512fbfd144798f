import { describe, expect, test, vi } from "vitest"
import { faces } from "../support/faces.ts"
import { run } from "./run.ts"

// Each starts a process; on a busy machine that alone may take seconds.
vi.setConfig({ testTimeout: 30_000 })

describe.each(faces)("SOJOURN_IDLE_BEFORE_OPEN, $face", ({ face }) => {
  test("is told at the second opening that takes longer than idleTimeout, with both times and without a key", async () => {
    const cases = [["2 seconds", [2500, 3000, 4000]]]
    const { result, findings, warnings, stderr } = await run("openings", { face, cases })
    expect(result).toEqual([0, 1, 1])
    expect(findings).toHaveLength(1)
    expect(findings[0]?.code).toBe("SOJOURN_IDLE_BEFORE_OPEN")
    expect(findings[0]?.evidence).toMatch(
      /^Opening a session of "test[^"]*" took 3 s, and its idleTimeout is 2 s\.$/,
    )
    expect(warnings).toHaveLength(1)
    expect(stderr).not.toContain("secret")
  })

  test("not for one slow opening among quick ones, for what is too quick to be felt, nor where closing early is no accident", async () => {
    const cases = [
      ["2 seconds", [5000, 10, 2000, 0, 1999]],
      // The same registry would tell it at the second: this is another.
      ["2 seconds", [5000]],
      [1, Array(10).fill(99)],
      [0, Array(4).fill(5000)],
      ["Infinity", Array(4).fill(5000)],
      [5000, Array(4).fill(5000)],
    ]
    const { findings, stderr } = await run("openings", { face, cases })
    expect([findings, stderr]).toEqual([[], ""])
  })

  test("from 100 ms on", async () => {
    const { findings } = await run("openings", { face, cases: [[1, [100, 100]]] })
    expect(findings[0]?.evidence).toContain("took 0.1 s, and its idleTimeout is 0.001 s.")
  })

  test("can be silenced", async () => {
    const env = { SOJOURN_SETUP_CHECKS: "SOJOURN_IDLE_BEFORE_OPEN" }
    const { findings, stderr } = await run("openings", { face, cases: [[1000, [5000, 5000, 5000]]] }, env)
    expect([findings, stderr]).toEqual([[], ""])
  })
})

test("SOJOURN_IDLE_BEFORE_OPEN is told in real time as well", async () => {
  const { findings } = await run("realOpenings")
  expect(findings[0]?.evidence).toMatch(
    /^Opening a session of "slow" took 0\.\d+ s, and its idleTimeout is 0\.02 s\.$/,
  )
})
