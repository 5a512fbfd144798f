/** `node --expose-gc src/main.ts [--minutes n | --seconds n] [--seed s] [--json]`. Progress goes to stderr. */
import { help, readFlags } from "./flags.ts"
import { reportText } from "./report.ts"
import { run } from "./run.ts"

const progress = (line: string): void => void process.stderr.write(`${line}\n`)
const flags = readFlags(process.argv.slice(2))
if (flags.help) process.stdout.write(`${help}\n`)
else {
  progress(`chaos: seed ${flags.seed}, ${flags.ms / 1000} s`)
  const report = await run({ seed: flags.seed, ms: flags.ms, progress })
  process.stdout.write(`${flags.json ? JSON.stringify(report) : reportText(report)}\n`)
  if (report.violations.length > 0) process.exitCode = 1
}
