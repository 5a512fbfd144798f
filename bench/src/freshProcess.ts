/** One job in a process of its own: what another suite compiled, allocated or left running is not there. */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { WrongResult } from "./harness.ts"

export type Job =
  | {
      readonly kind: "suite"
      readonly suite: string
      readonly quick: boolean
      readonly rounds: number | undefined
    }
  | { readonly kind: "heap"; readonly name: string; readonly number: number }

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly wrong: boolean; readonly message: string }

const program = fileURLToPath(new URL("./job.ts", import.meta.url))

export const inFreshProcess = (job: Job, nodeOptions: ReadonlyArray<string> = []): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const child = fork(program, [JSON.stringify(job)], {
      execArgv: ["--expose-gc", "--no-warnings", ...nodeOptions],
      serialization: "advanced",
      // The parent's standard output carries the results alone.
      stdio: ["ignore", 2, 2, "ipc"],
    })
    let answer: Answer | undefined
    child.on("message", (message: Answer) => {
      answer = message
    })
    child.on("error", reject)
    child.on("exit", (code, signal) => {
      if (answer === undefined) reject(new Error(`the process ended without an answer (${signal ?? code})`))
      else if (answer.ok) resolve(answer.value)
      else if (answer.wrong) reject(new WrongResult(answer.message))
      else reject(new Error(answer.message))
    })
  })
