/** Starts a program as a real process, and ends it whatever happens. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"

interface Exit {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}
export interface Program {
  /** All that it has written to stdout so far. */
  readonly lines: ReadonlyArray<string>
  /** The first line, written or still to come, that is this text or matches. */
  readonly line: (wanted: string | RegExp) => Promise<string>
  readonly signal: (name: NodeJS.Signals) => void
  readonly exit: Promise<Exit>
}
export interface Server extends Program {
  readonly url: string
}

/** `onEnd` takes what ends it: a test's `onTestFinished`, or what a suite keeps for its `afterAll`. */
export const start = (
  program: string,
  env: Readonly<Record<string, string>> = {},
  onEnd: (end: () => void) => void = onTestFinished,
): Program => {
  const child = spawn(process.execPath, [`${import.meta.dirname}/../src/${program}`], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onEnd(() => void child.kill("SIGKILL"))
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text))
  const lines: Array<string> = []
  const exit = new Promise<Exit>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout: lines.join("\n"), stderr }))
  })
  const looking = new Set<() => void>()
  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(text)
    for (const look of looking) look()
  })
  const line = (wanted: string | RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find((text) => (typeof wanted === "string" ? text === wanted : wanted.test(text)))
        if (found === undefined) return
        looking.delete(look)
        resolve(found)
      }
      looking.add(look)
      look()
      void exit.then(() =>
        reject(new Error(`It ended without saying ${wanted}. ${lines.join("\n")}${stderr}`)),
      )
    })
  return { lines, line, exit, signal: (name) => void child.kill(name) }
}

/** The same for a program that listens: resolves once it does. */
export const serve = async (...given: Parameters<typeof start>): Promise<Server> => {
  const [program, env, onEnd] = given
  const started = start(program, { PORT: "0", ...env }, onEnd)
  const address = await started.line(/^listening on /)
  return { ...started, url: address.slice("listening on ".length) }
}
