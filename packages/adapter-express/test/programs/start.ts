/** Starts a program beside this file as a real process, and ends it whatever happens. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"

interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}
export interface Program {
  /** What it has said: a JSON value a line. */
  readonly lines: Array<unknown>
  /** The first line, said or still to come, that the test accepts. */
  readonly line: <A>(accepts: (line: unknown) => A | undefined | false) => Promise<A>
  readonly signal: (name: NodeJS.Signals) => void
  readonly exit: Promise<Exit>
}

export const start = (
  program: "serve" | "setup" | "reload",
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
): Program => {
  const path = fileURLToPath(new URL(`${program}.ts`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text))
  const exit = new Promise<Exit>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, stderr })),
  )

  const lines: Array<unknown> = []
  const looking = new Set<() => void>()
  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(JSON.parse(text))
    for (const look of looking) look()
  })
  return {
    lines,
    exit,
    signal: (name) => void child.kill(name),
    line: (accepts) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          for (const line of lines) {
            const found = accepts(line)
            if (found === undefined || found === false) continue
            looking.delete(look)
            return resolve(found)
          }
        }
        looking.add(look)
        look()
        void exit.then(({ stderr: text }) => reject(new Error(`it ended without saying so. ${text}`)))
      }),
  }
}

export const said = (text: unknown) => (line: unknown) => JSON.stringify(line) === JSON.stringify(text)
export const port = (line: unknown): number | undefined =>
  typeof line === "object" && line !== null && "port" in line && typeof line.port === "number"
    ? line.port
    : undefined
