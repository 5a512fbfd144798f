/** Runs a program of a package, under a time limit, so that it can be ended with everything it started. */
import { spawn, type ChildProcess } from "node:child_process"

export interface Ran {
  /** `undefined`: ended by us, for its time was over. */
  readonly code: number | undefined
  readonly output: string
}

const running = new Set<ChildProcess>()
const mostOutput = 100_000
/** A mutant may make more and more work for itself: it must not take the machine with it. */
const mostHeap = "--max-old-space-size=1024"

const end = (child: ChildProcess): void => {
  running.delete(child)
  // A group of its own: what it has started goes with it.
  if (child.pid !== undefined && process.platform !== "win32") {
    try {
      process.kill(-child.pid, "SIGKILL")
      return
    } catch {
      // Gone already.
    }
  }
  child.kill("SIGKILL")
}

export const endAll = (): void => {
  for (const child of running) end(child)
}

/** `script`: a JavaScript file. */
export const runNode = (
  script: string,
  flags: ReadonlyArray<string>,
  folder: string,
  limitMs: number,
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [mostHeap, script, ...flags], {
      cwd: folder,
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    })
    running.add(child)
    let output = ""
    const keep = (chunk: Buffer): void => {
      if (output.length < mostOutput) output += chunk.toString("utf8")
    }
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    let overdue = false
    const limit = setTimeout(() => {
      overdue = true
      end(child)
    }, limitMs)
    child.once("error", (error) => {
      clearTimeout(limit)
      running.delete(child)
      reject(error)
    })
    child.once("close", (code) => {
      clearTimeout(limit)
      running.delete(child)
      resolve({ code: overdue ? undefined : (code ?? 1), output })
    })
  })
