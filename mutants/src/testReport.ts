/** What a run of the tests says, from its JSON report. */

export type TestVerdict =
  | { readonly kind: "green"; readonly tests: number }
  /** `by`: the first one; `red`: every file with one, or that could not be loaded. */
  | { readonly kind: "failed"; readonly by: string; readonly red: ReadonlyArray<string> }
  /** No test could speak: a file was not found, or could not be loaded. */
  | { readonly kind: "broken"; readonly detail: string }

interface Report {
  readonly numPassedTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<{ readonly status: string; readonly fullName: string }>
  }>
}

const lastOf = (output: string): string => output.trim().slice(-2000)

/** `json`: undefined when none was written. */
export const verdictOf = (json: string | undefined, code: number, output: string): TestVerdict => {
  if (json === undefined) return { kind: "broken", detail: lastOf(output) }
  const report = JSON.parse(json) as Report
  const red = report.testResults.filter(({ status }) => status === "failed").map(({ name }) => fileOf(name))
  for (const { assertionResults, name } of report.testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed")
    if (failed !== undefined) return { kind: "failed", by: `${fileOf(name)}: ${failed.fullName}`, red }
  }
  const unloaded = report.testResults.find(
    ({ assertionResults, status }) => status === "failed" && assertionResults.length === 0,
  )
  if (unloaded !== undefined)
    return { kind: "broken", detail: `${fileOf(unloaded.name)}: ${unloaded.message}` }
  if (report.numPassedTests === 0) return { kind: "broken", detail: "no test was run" }
  if (code === 0) return { kind: "green", tests: report.numPassedTests }
  // Every test passed, and still the run did not.
  return { kind: "failed", by: `an error outside of every test: ${firstError(output)}`, red }
}

const fileOf = (path: string): string => path.replaceAll("\\", "/").replace(/^.*\/test\//, "")
const firstError = (output: string): string =>
  output
    .split("\n")
    .find((line) => /\w*Error\b.*:/.test(line))
    ?.trim() ?? lastOf(output)
