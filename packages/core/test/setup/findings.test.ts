import { describe, expect, test, vi } from "vitest"
import { setupChecks, type SetupCode } from "../../src/setup/checks.ts"
import { run } from "./run.ts"

// Each starts a process; on a busy machine that alone may take seconds.
vi.setConfig({ testTimeout: 30_000 })

const codes = Object.keys(setupChecks) as ReadonlyArray<SetupCode>

describe("what a setup check has found", () => {
  test("is told once a process, by Node's own warning, and kept for code to read", async () => {
    const { result, findings, warnings, stderr } = await run("found")
    expect(result).toEqual([true, true, false, false])
    expect(findings).toEqual([
      {
        code: "SOJOURN_TRUST_PROXY",
        evidence: "Seen 1 times.",
        advice: setupChecks.SOJOURN_TRUST_PROXY,
        docs: "docs/setup/SOJOURN_TRUST_PROXY.md",
      },
      expect.objectContaining({ code: "SOJOURN_REJECTIONS", evidence: "Seen as well." }),
    ])
    expect(warnings).toEqual([
      {
        name: "SojournSetup",
        code: "SOJOURN_TRUST_PROXY",
        message: `Seen 1 times. ${setupChecks.SOJOURN_TRUST_PROXY}`,
        detail:
          "docs/setup/SOJOURN_TRUST_PROXY.md says more; SOJOURN_SETUP_CHECKS=SOJOURN_TRUST_PROXY silences it.",
      },
      expect.objectContaining({ name: "SojournSetup", code: "SOJOURN_REJECTIONS" }),
    ])
    expect(stderr.match(/\[SOJOURN_TRUST_PROXY\] SojournSetup: /g)).toHaveLength(1)
    expect(stderr).toContain("SOJOURN_SETUP_CHECKS=SOJOURN_TRUST_PROXY silences it.")
  })

  test.for<readonly [string, ReadonlyArray<string>]>([
    ["off", []],
    [" SOJOURN_REJECTIONS , off ", []],
    ["SOJOURN_TRUST_PROXY", ["SOJOURN_REJECTIONS"]],
    ["SOJOURN_REJECTIONS, SOJOURN_TWO_COPIES", ["SOJOURN_TRUST_PROXY"]],
    // A word that means nothing silences nothing: who mistypes a code still hears of it.
    ["offline, SOJOURN_TRUST", ["SOJOURN_TRUST_PROXY", "SOJOURN_REJECTIONS"]],
  ])("SOJOURN_SETUP_CHECKS=%j leaves %j", async ([words, left]) => {
    const { findings, warnings, stderr } = await run("found", {}, { SOJOURN_SETUP_CHECKS: words })
    expect(findings.map(({ code }) => code)).toEqual(left)
    expect(warnings.map(({ code }) => code)).toEqual(left)
    expect(stderr === "").toBe(left.length === 0)
  })
})

describe("the catalogue", () => {
  test.for(codes)("%s is a code like the others, and its advice says what to do", (code) => {
    expect(code).toMatch(/^SOJOURN_[A-Z]+(?:_[A-Z]+)*$/)
    expect(setupChecks[code]).toMatch(/^[A-Z].*\. ?[A-Z].*[.]$/)
    expect(setupChecks[code].length).toBeLessThan(200)
  })
})
