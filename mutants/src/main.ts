/** `node src/main.ts [--only <text>]... [--list] [--json] [--jobs n] [--named-only] [--face promise|effect]`. Exit code 1 when a mutant survives. */
import { readdirSync } from "node:fs"
import { availableParallelism, loadavg } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { endAll } from "./command.ts"
import { compileErrors, isBad, judge, runTests } from "./judge.ts"
import { groups } from "./list/index.ts"
import type { Mutant } from "./Mutant.ts"
import { PackageCopy } from "./PackageCopy.ts"
import { lineOf, listText, summaryOf, type Judged } from "./report.ts"

const shortestLimitMs = 30_000

const { values: flags } = parseArgs({
  // `pnpm mutants -- --list` hands the `--` on.
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    only: { type: "string", multiple: true, default: [] },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    jobs: { type: "string" },
    face: { type: "string" },
    "named-only": { type: "boolean", default: false },
  },
})

const core = join(import.meta.dirname, "../../packages/core")
/** The second try: every law test, and the random schedules. */
const elsewhere = flags["named-only"]
  ? []
  : [
      ...readdirSync(join(core, "test/both"))
        .filter((name) => name.endsWith(".test.ts"))
        .map((name) => `both/${name}`),
      "laws/schedules.test.ts",
    ]
const wanted = (group: string, { name }: Mutant): boolean =>
  flags.only.length === 0 ||
  flags.only.some((text) => `${group}: ${name}`.toLowerCase().includes(text.toLowerCase()))
const chosen = groups
  .map(({ mutants, title }) => ({ title, mutants: mutants.filter((mutant) => wanted(title, mutant)) }))
  .filter(({ mutants }) => mutants.length > 0)
const mutants = chosen.flatMap(({ mutants: ofGroup }) => ofGroup)

const faces: Readonly<Record<string, string>> = { promise: "Promise face", effect: "Effect face" }
const face = flags.face === undefined ? undefined : faces[flags.face]
if (flags.face !== undefined && face === undefined)
  throw new Error(`--face ${flags.face}: it is ${Object.keys(faces).join(" or ")}`)

const jobsFrom = (given: string | undefined): number => {
  // Two at most: each runs a compiler and a test runner. One where others are at work.
  if (given === undefined) return (loadavg()[0] ?? 0) + 1 < availableParallelism() ? 2 : 1
  const jobs = Number(given)
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs ${given}: not a whole number above 0`)
  return jobs
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const progress = (text: string): void =>
  void (flags.json ? process.stderr : process.stdout).write(`${text}\n`)

const copies: Array<PackageCopy> = []
const cleanUp = (): void => {
  endAll()
  for (const copy of copies.splice(0)) copy.remove()
}

const run = async (jobs: number): Promise<ReadonlyArray<Judged>> => {
  for (let job = 0; job < Math.min(jobs, mutants.length); job++) copies.push(new PackageCopy(core))
  const [first] = copies
  if (first === undefined) throw new Error("no mutant is called so; `--list` shows them all")

  const tests = [...new Set([...mutants.flatMap((mutant) => mutant.tests), ...elsewhere])].toSorted()
  const began = performance.now()
  const unchanged = await runTests(first, tests, { face, limitMs: 600_000, toTheEnd: true })
  const took = performance.now() - began
  if (unchanged === undefined) throw new Error("without a mutant the tests come to no end")
  if (unchanged.kind === "broken") throw new Error(`without a mutant no test runs: ${unchanged.detail}`)
  const red = new Set(unchanged.kind === "failed" ? unchanged.red : [])
  progress(`without a mutant: ${tests.length} test files in ${(took / 1000).toFixed(1)} s, ${red.size} red`)
  if (unchanged.kind === "failed") {
    process.exitCode = 1
    progress(`  they can say nothing: ${[...red].join(" ")}\n  first of all ${unchanged.by}`)
  }
  const trial = {
    elsewhere,
    knownErrors: await compileErrors(first),
    red,
    face,
    limitMs: Math.max(shortestLimitMs, took),
  }

  const judged: Array<Judged> = []
  const waiting = mutants.values()
  const work = async (copy: PackageCopy): Promise<void> => {
    // One iterator for all: each takes the next that nobody has.
    for (const mutant of waiting) {
      const start = performance.now()
      const verdict = await judge(mutant, copy, trial)
      const done = { mutant, verdict, seconds: (performance.now() - start) / 1000 }
      judged.push(done)
      progress(`${String(judged.length).padStart(3)}/${mutants.length} ${lineOf(done)}`)
    }
  }
  await Promise.all(copies.map(work))
  return judged
}

if (flags.list) print(flags.json ? JSON.stringify(chosen, undefined, 2) : listText(chosen))
else {
  const interrupted = (signal: NodeJS.Signals): void => {
    cleanUp()
    process.exit(signal === "SIGINT" ? 130 : 143)
  }
  process.once("SIGINT", interrupted)
  process.once("SIGTERM", interrupted)
  const began = performance.now()
  try {
    const judged = await run(jobsFrom(flags.jobs))
    const seconds = (performance.now() - began) / 1000
    if (judged.some(({ verdict }) => isBad(verdict))) process.exitCode = 1
    if (flags.json) {
      const plain = judged.map(({ mutant, ...rest }) => ({ name: mutant.name, laws: mutant.laws, ...rest }))
      print(JSON.stringify({ seconds, mutants: plain }, undefined, 2))
    } else print(summaryOf(judged, seconds))
  } finally {
    cleanUp()
  }
}
