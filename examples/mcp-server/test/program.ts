/** Starts the server as a real process, and ends it whatever happens. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"

export interface Program {
  /** All that it has written to stdout so far. */
  readonly lines: ReadonlyArray<string>
  /** The first line, written or still to come, that this is part of. */
  readonly line: (part: string) => Promise<string>
  readonly signal: (name: NodeJS.Signals) => void
  readonly exit: Promise<{ readonly code: number | null; readonly stderr: string }>
}

export const start = (env: Readonly<Record<string, string>>): Program => {
  const child = spawn(process.execPath, [`${import.meta.dirname}/../src/main.ts`], {
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text))
  const lines: Array<string> = []
  const looking = new Set<() => void>()
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line)
    for (const look of looking) look()
  })
  const exit = once(child, "close").then(([code]) => ({ code: code as number | null, stderr }))
  const line = (part: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find((one) => one.includes(part))
        if (found !== undefined) resolve(found)
      }
      looking.add(look)
      look()
      void exit.then(() =>
        reject(new Error(`It ended without saying ${part}.\n${lines.join("\n")}\n${stderr}`)),
      )
    })
  return { lines, line, exit, signal: (name) => void child.kill(name) }
}
