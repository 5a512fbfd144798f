/** Does the suite notice? One mutant in one copy: applied, compiled, tested, restored. */
import { existsSync, readFileSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { DoesNotApply } from "./applyEdits.ts"
import { runNode } from "./command.ts"
import type { Mutant } from "./Mutant.ts"
import type { PackageCopy } from "./PackageCopy.ts"
import { verdictOf, type TestVerdict } from "./testReport.ts"

export type Verdict =
  | { readonly kind: "killed"; readonly by: string }
  /** Its own tests let it live, another one did not: perhaps it has moved, or its own are missing. */
  | { readonly kind: "killed elsewhere"; readonly by: string }
  /** It kept the tests from coming to an end. */
  | { readonly kind: "killed by the time limit" }
  | { readonly kind: "survived" }
  | { readonly kind: "equivalent"; readonly by: string }
  /** A mistake in the list, not in the suite. */
  | { readonly kind: "does not apply" | "does not compile" | "tests do not run"; readonly by: string }

/** What must not be in a report for the run to count as good. */
export const isBad = ({ kind }: Verdict): boolean =>
  kind === "survived" ||
  kind === "does not apply" ||
  kind === "does not compile" ||
  kind === "tests do not run"

const binOf = (name: string, script: string): string =>
  join(dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))), script)
const vitest = binOf("vitest", "vitest.mjs")
const tsc = binOf("typescript", "bin/tsc")

/** One after the other in one thread is the quickest for a few small files. */
const vitestFlags = ["run", "--pool=threads", "--no-isolate", "--no-file-parallelism"]
/** A rule that is left out leaves unused names behind. */
const tscFlags = [
  ..."--project tsconfig.json --noEmit --noUnusedLocals false --noUnusedParameters false".split(" "),
  ..."--composite false --incremental false --declarationMap false --tsBuildInfoFile null".split(" "),
]
const compileLimitMs = 120_000
/** They run in virtual time: without a mutant each of them takes well under a second. */
const testLimitMs = 5_000

/** What the compiler has to say. Whatever it says without a mutant as well is not the mutant's. */
export const compileErrors = async (copy: PackageCopy): Promise<ReadonlySet<string>> => {
  const { code, output } = await runNode(tsc, tscFlags, copy.folder, compileLimitMs)
  if (code === undefined) throw new Error("the compiler came to no end")
  const errors = new Set(output.split("\n").filter((line) => line.includes("error TS")))
  if (code !== 0 && errors.size === 0) throw new Error(`the compiler failed: ${output}`)
  return errors
}

interface Run {
  readonly limitMs: number
  /** Only tests with this in their names. */
  readonly face?: string | undefined
  /** Not only as far as the first failure. */
  readonly toTheEnd?: boolean
}

/** `undefined`: the time limit. */
export const runTests = async (
  copy: PackageCopy,
  tests: ReadonlyArray<string>,
  { face, limitMs, toTheEnd = false }: Run,
): Promise<TestVerdict | undefined> => {
  const report = join(copy.folder, "report.json")
  rmSync(report, { force: true })
  const { code, output } = await runNode(
    vitest,
    [
      ...vitestFlags,
      `--bail=${toTheEnd ? 0 : 1}`,
      ...(face === undefined ? [] : [`--testNamePattern=${face}`]),
      `--testTimeout=${testLimitMs}`,
      "--reporter=json",
      `--outputFile=${report}`,
      ...tests.map((test) => `test/${test}`),
    ],
    copy.folder,
    limitMs,
  )
  if (code === undefined) return undefined
  return verdictOf(existsSync(report) ? readFileSync(report, "utf8") : undefined, code, output)
}

export interface Trial extends Run {
  /** The second try for who was let live by its own tests. */
  readonly elsewhere: ReadonlyArray<string>
  readonly knownErrors: ReadonlySet<string>
  /** Test files that fail without a mutant: what they say means nothing. */
  readonly red: ReadonlySet<string>
}

export const judge = async (mutant: Mutant, copy: PackageCopy, trial: Trial): Promise<Verdict> => {
  const { elsewhere, knownErrors, red } = trial
  if (mutant.equivalent !== undefined) return { kind: "equivalent", by: mutant.equivalent }
  const tests = mutant.tests.filter((test) => !red.has(test))
  if (tests.length === 0) return { kind: "tests do not run", by: "all of them fail without it too" }
  try {
    copy.apply(mutant.edits)
  } catch (error) {
    if (error instanceof DoesNotApply) return { kind: "does not apply", by: error.message }
    throw error
  }
  try {
    // A mutant that is no program would be killed by every test, and prove nothing.
    const errors = [...(await compileErrors(copy))].filter((error) => !knownErrors.has(error))
    if (errors.length > 0) return { kind: "does not compile", by: errors.join("\n") }
    const own = verdictFrom(await runTests(copy, tests, trial))
    const others = elsewhere.filter((test) => !red.has(test) && !tests.includes(test))
    if (own.kind !== "survived" || others.length === 0) return own
    const second = verdictFrom(await runTests(copy, others, trial))
    return second.kind === "killed" ? { kind: "killed elsewhere", by: second.by } : second
  } finally {
    copy.restore()
  }
}

const verdictFrom = (tested: TestVerdict | undefined): Verdict => {
  switch (tested?.kind) {
    case undefined:
      return { kind: "killed by the time limit" }
    case "green":
      return { kind: "survived" }
    case "failed":
      return { kind: "killed", by: tested.by }
    case "broken":
      return { kind: "tests do not run", by: tested.detail }
  }
}
