/** The program of a fresh process: does one job, hands back what came of it, and ends. */
import { configOf, WrongResult } from "./harness.ts"
import type { Answer, Job } from "./freshProcess.ts"
import { progressOn } from "./progress.ts"

const perform = async (job: Job): Promise<unknown> => {
  // Loaded on demand: a heap case should not hold the code of all the others.
  if (job.kind === "heap") return (await import("./heapCases.ts")).bytesPerSession(job.name, job.number)
  const { suites } = await import("./suites/index.ts")
  const load = suites[job.suite]
  if (load === undefined) throw new Error(`no suite is called ${job.suite}`)
  const suite = await load()
  return suite.run(configOf({ quick: job.quick, rounds: job.rounds, progress: progressOn(process.stderr) }))
}

const answer = async (): Promise<Answer> => {
  try {
    return { ok: true, value: await perform(JSON.parse(process.argv[2] ?? "") as Job) }
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { ok: false, wrong: error instanceof WrongResult, message }
  }
}

const told = await answer()
// Peers leave timers behind that would hold the process for minutes.
process.send?.(told, () => process.exit(0))
