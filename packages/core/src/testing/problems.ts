/** Several problems as one error: its message lists them, its `errors` are them. */
export const listed = (title: string, problems: ReadonlyArray<string>): AggregateError =>
  new AggregateError(
    problems.map((problem) => new Error(problem)),
    `${title}:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
  )
