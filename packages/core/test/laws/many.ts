/**
 * Many seeds at once, for a machine that has time: `node test/laws/many.ts [first] [count]`. `SEED=n` replays one and
 * prints its trace.
 */
import { faces } from "../support/faces.ts"
import { runSchedule } from "../../src/testing/laws/schedule.ts"

const first = Number(process.argv[2] ?? 1)
const count = Number(process.argv[3] ?? 10_000)
const enough = Number(process.argv[4] ?? 10)
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const only = process.env["SEED"]
const wanted = process.env["FACE"]
for (const each of faces) {
  const { face } = each
  if (wanted !== undefined && !face.startsWith(wanted)) continue
  if (only !== undefined) {
    const { broken, trace } = await runSchedule(each, Number(only))
    print(trace.join("\n"))
    print(`${face}: ${broken ?? "keeps the laws"}`)
    continue
  }
  const began = performance.now()
  const broken = new Map<string, Array<number>>()
  let failed = 0
  let ran = 0
  for (let seed = first; seed < first + count && failed < enough; seed++) {
    const outcome = await runSchedule(each, seed)
    ran++
    if (outcome.broken === undefined) continue
    failed++
    print(`${face}: seed ${seed}: ${outcome.broken}`)
    const law = outcome.broken.replaceAll(/\d+/g, "n")
    broken.set(law, [...(broken.get(law) ?? []), seed])
  }
  const seconds = (performance.now() - began) / 1000
  print(`${face}: ${ran} schedules, ${(ran / seconds).toFixed(0)} a second, ${failed} broken`)
  for (const [law, seeds] of broken) print(`${seeds.length} x ${law}  seeds ${seeds.slice(0, 8).join(" ")}`)
  process.exitCode = failed === 0 ? process.exitCode : 1
}
