/** The child processes of the run, so that none outlives it, whatever the sessions do. */
import { spawn, type ChildProcessByStdio } from "node:child_process"
import type { Readable, Writable } from "node:stream"

export type EchoChild = ChildProcessByStdio<Writable, Readable, null>

/** Each sends back what it is sent; they differ in what they cost and how they end. */
const programs: Readonly<Record<EchoProgram, readonly [command: string, ...args: Array<string>]>> = {
  cat: ["cat"],
  sh: ["sh", "-c", 'while IFS= read -r line; do printf "%s\\n" "$line"; done'],
  node: [process.execPath, "-e", "process.stdin.pipe(process.stdout)"],
}
export type EchoProgram = "cat" | "sh" | "node"

export class Children {
  readonly #alive = new Set<EchoChild>()

  constructor() {
    process.once("exit", () => this.killAll())
  }
  start(program: EchoProgram): EchoChild {
    const [command, ...args] = programs[program]
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] })
    this.#alive.add(child)
    child.once("exit", () => this.#alive.delete(child))
    // It could not be started, or a line was written to a child that was gone: its exit says so too.
    child.on("error", () => this.#alive.delete(child))
    child.stdin.on("error", () => {})
    child.stdout.on("error", () => {})
    return child
  }
  get alive(): number {
    return this.#alive.size
  }
  killAll(): void {
    for (const child of this.#alive) child.kill("SIGKILL")
  }
}

/** Asks the operating system, not our own books. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
