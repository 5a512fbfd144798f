/** Runs a program to its end in a process of its own: what the setup checks have found is kept for a whole process. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { SetupFinding } from "../../src/host.ts"

export interface Told {
  readonly result?: unknown
  readonly findings: ReadonlyArray<SetupFinding>
  readonly warnings: ReadonlyArray<{
    readonly name: string
    readonly code: string
    readonly message: string
    readonly detail: string
  }>
  readonly stderr: string
}

/** What makes a machine look like a platform must not decide how a test ends. */
const told = new Set([
  "SOJOURN_SETUP_CHECKS",
  "SOJOURN_PLATFORM_GRACE",
  "KUBERNETES_SERVICE_HOST",
  "ECS_CONTAINER_METADATA_URI",
  "ECS_CONTAINER_METADATA_URI_V4",
  "K_SERVICE",
  "DYNO",
  "FLY_APP_NAME",
  "RENDER",
  "INVOCATION_ID",
  "pm_id",
  "NODE_OPTIONS",
  "NODE_NO_WARNINGS",
])
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !told.has(name)))

/** The last line of its output is JSON. */
export const runNode = (args: ReadonlyArray<string>, env: Record<string, string> = {}): Promise<Told> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...plain, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    child.once("error", reject)
    child.once("close", (code) => {
      if (code !== 0) return reject(new Error(`it ended with ${code}\n${stderr}`))
      resolve({ ...(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Told), stderr })
    })
  })

export const run = (scenario: string, input: object = {}, env: Record<string, string> = {}): Promise<Told> =>
  runNode([fileURLToPath(new URL("program.ts", import.meta.url)), scenario, JSON.stringify(input)], env)
