/** `node src/main.ts [--quick] [--only suite,...] [--rounds n] [--json] [--save]`. Progress goes to stderr. */
import { mkdirSync, writeFileSync } from "node:fs"
import { availableParallelism, cpus } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { inFreshProcess } from "./freshProcess.ts"
import { type Group, WrongResult } from "./harness.ts"
import { progressOn } from "./progress.ts"
import { groupText, verdictsText } from "./report.ts"
import { suites } from "./suites/index.ts"
import { judge } from "./targets.ts"

const { values: flags } = parseArgs({
  // `pnpm bench -- --quick` hands the `--` on.
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string" },
    json: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
})

const names = Object.keys(suites)
const only = flags.only.flatMap((list) => list.split(","))
const unknown = only.filter((name) => !names.includes(name))
if (unknown.length > 0)
  throw new Error(`no suite is called ${unknown.join(", ")}; there are ${names.join(", ")}`)
const rounds = flags.rounds === undefined ? undefined : Number(flags.rounds)
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
  throw new Error(`--rounds ${flags.rounds}: not a whole number above 0`)
}

const progress = progressOn(process.stderr)
const print = (text: string) => {
  if (flags.json) return
  progress("")
  process.stdout.write(`${text}\n`)
}

const groups: Array<Group> = []
const failures: Array<string> = []
for (const name of only.length > 0 ? names.filter((one) => only.includes(one)) : names) {
  const load = suites[name]
  if (load === undefined) continue
  try {
    const suite = await load()
    const measured = (await inFreshProcess(
      { kind: "suite", suite: name, quick: flags.quick, rounds },
      suite.nodeOptions,
    )) as ReadonlyArray<Group>
    groups.push(...measured)
    print(`\n== ${suite.title}\n`)
    for (const group of measured) print(`${groupText(group)}\n`)
  } catch (error) {
    // The other suites still have something to say.
    const what = error instanceof WrongResult ? "WRONG RESULT" : "failed"
    failures.push(`${name}: ${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const verdicts = judge(groups)
const report = {
  quick: flags.quick,
  machine: {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
  },
  targets: verdicts,
  groups,
  failures,
}
if (flags.save) {
  const folder = join(import.meta.dirname, "../results")
  mkdirSync(folder, { recursive: true })
  // Without the values of each round, and rounded: what is kept is read by people, in a diff.
  const text = JSON.stringify(
    report,
    (field, value: unknown) => {
      if (field === "rounds") return undefined
      return typeof value === "number" ? Number(value.toPrecision(4)) : value
    },
    2,
  )
  writeFileSync(join(folder, "latest.json"), `${text}\n`)
}
if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`)
if (verdicts.length > 0) print(`== Targets\n\n${verdictsText(verdicts)}`)
if (flags.quick)
  print("\nA quick run only shows that everything works; take figures from a run without --quick.")
for (const failure of failures) process.stderr.write(`\n${failure}\n`)
// A slow machine is no failure, and neither is a busy one. A wrong result is.
if (failures.length > 0) process.exitCode = 1
