import { describe, expect, it } from "vitest"
import { verdictOf } from "../src/testReport.ts"

const file = (name: string, ...tests: ReadonlyArray<string>) => ({
  name: `/anywhere/packages/core/test/both/${name}.test.ts`,
  status: tests.length === 0 || tests.includes("failed") ? "failed" : "passed",
  message: "cannot find module",
  assertionResults: tests.map((status, index) => ({ status, fullName: `L1 test ${index}` })),
})
const report = (...testResults: ReadonlyArray<ReturnType<typeof file>>): string => {
  const numPassedTests = testResults
    .flatMap((each) => each.assertionResults)
    .filter((test) => test.status === "passed")
  return JSON.stringify({ numPassedTests: numPassedTests.length, testResults })
}

describe("what a run of the tests says", () => {
  it("green, with how many have passed", () => {
    expect(verdictOf(report(file("a", "passed", "skipped"), file("b", "passed")), 0, "")).toEqual({
      kind: "green",
      tests: 2,
    })
  })
  it("failed, by the first one, with every red file", () => {
    expect(verdictOf(report(file("a", "passed"), file("b", "passed", "failed"), file("c")), 1, "")).toEqual({
      kind: "failed",
      by: "both/b.test.ts: L1 test 1",
      red: ["both/b.test.ts", "both/c.test.ts"],
    })
  })
  it("failed, although every test has passed: something else threw", () => {
    const output = "⎯⎯ Unhandled Errors ⎯⎯\n\nTypeError: nobody caught this\n ❯ src/a.ts"
    expect(verdictOf(report(file("a", "passed")), 1, output)).toMatchObject({
      kind: "failed",
      by: "an error outside of every test: TypeError: nobody caught this",
    })
  })
  it.each([
    [
      "a file could not be loaded",
      report(file("a", "passed"), file("b")),
      "both/b.test.ts: cannot find module",
    ],
    ["nothing was run", report(file("a", "skipped")), "no test was run"],
    ["there is no report", undefined, "unknown option"],
  ])("broken: %s", (_, json, detail) => {
    expect(verdictOf(json, 1, "  unknown option\n")).toEqual({ kind: "broken", detail })
  })
})
