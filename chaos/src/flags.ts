/** What the command line says. */
import { randomInt } from "node:crypto"
import { parseArgs } from "node:util"

export interface Flags {
  readonly help: boolean
  readonly json: boolean
  readonly ms: number
  readonly seed: string
}

export const help = `pnpm chaos [--minutes n | --seconds n] [--seed s] [--json]

  --minutes n   how long, 1 unless said; rounds are finished, so it takes a little longer
  --seconds n   the same in seconds
  --seed s      what the users and the resources do; random unless given, and printed
  --json        one JSON object on standard output instead of the report
  --help        this

Exit code 1 when something promised did not hold; progress goes to standard error.`

export const readFlags = (given: ReadonlyArray<string>): Flags => {
  const { values } = parseArgs({
    // `pnpm chaos -- --seed 1` hands the `--` on.
    args: given.filter((argument) => argument !== "--"),
    options: {
      minutes: { type: "string" },
      seconds: { type: "string" },
      seed: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  })
  const { minutes, seconds } = values
  if (minutes !== undefined && seconds !== undefined) throw new Error("--minutes or --seconds, not both")
  return {
    help: values.help,
    json: values.json,
    ms:
      seconds === undefined
        ? timeOf("--minutes", minutes ?? "1", 60_000)
        : timeOf("--seconds", seconds, 1000),
    seed: values.seed ?? String(randomInt(1_000_000_000)),
  }
}
const timeOf = (flag: string, given: string, unit: number): number => {
  const value = Number(given)
  if (given.trim() === "" || !(value > 0) || !Number.isFinite(value))
    throw new Error(`${flag} ${given}: not a number above 0`)
  return value * unit
}
