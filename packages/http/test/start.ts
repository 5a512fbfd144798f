/** Starts `program.ts` as a real process, and ends it whatever happens. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { onTestFinished as ofThisTest } from "vitest"

export interface Ended {
  readonly code: number | null
  readonly lines: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** All it has written, on both of its outputs. */
  readonly output: string
}

interface How {
  readonly env?: Readonly<Record<string, string>>
  /** At this line it is sent SIGTERM. */
  readonly until?: string
  /** Tests that run beside others give their own. */
  readonly onTestFinished?: (end: () => void) => void
}

/** Runs to its end. */
export const run = async (
  scenario: string,
  { env = {}, until, onTestFinished = ofThisTest }: How = {},
): Promise<Ended> => {
  const program = fileURLToPath(new URL("program.ts", import.meta.url))
  const child = spawn(process.execPath, [program, scenario], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let [stdout, output] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    output += text
    if (until !== undefined && stdout.includes(`${JSON.stringify(until)}\n`)) child.kill("SIGTERM")
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (output += text))
  const [code] = (await once(child, "close")) as [number | null]
  const lines = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  return { code, lines, output }
}
