/** Real processes for the tests beside it, and the one way to wait for a fact about them. */
import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { onTestFinished } from "vitest"
import { lookUp, processes } from "../../src/node/ownProcess/processTable.ts"

/** Is it running? What has ended and was not taken note of does not count. */
export const isRunning = (pid: number): boolean => lookUp(pid)?.zombie === false

/** Has it been stopped by SIGSTOP? That takes a moment, and a signal sent meanwhile may come first. */
export const isStopped = (pid: number): boolean =>
  process.platform === "linux"
    ? / T \d+ /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
    : execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("T")

export const running = async (accepts: (entry: { pid: number; parent: number; group: number }) => boolean) =>
  (await processes()).filter((entry) => !entry.zombie && accepts(entry)).map(({ pid }) => pid)

/** Resolves with the first answer that is not undefined or false; fails when there is none in time. */
export const until = async <A>(
  what: string,
  look: () => A | undefined | false | Promise<A | undefined | false>,
  within = 15_000,
): Promise<A> => {
  const deadline = performance.now() + within
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`not within ${within} ms: ${what}`)
    await sleep(10)
  }
}
export const untilEnded = (pids: ReadonlyArray<number>): Promise<boolean> =>
  until(`${pids.join()} ended`, () => !pids.some(isRunning))

/** Tests that run beside others give their own. */
export type OnEnd = (end: () => void) => void

/** A folder for records, instead of the user's own. */
export const recordFolder = (onEnd: OnEnd = onTestFinished): string => {
  const folder = mkdtempSync(join(tmpdir(), "own-process-"))
  onEnd(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Kills at the end of the test what of these processes, all of the test's own, is left. */
export const killAtEnd = (pids: Iterable<number>, onEnd: OnEnd = onTestFinished): void => {
  const known = [...pids].map((pid) => [pid, lookUp(pid)?.start] as const)
  onEnd(() => {
    for (const [pid, start] of known) {
      if (start !== undefined && lookUp(pid)?.start === start) process.kill(pid, "SIGKILL")
    }
  })
}

export interface Started {
  readonly child: ChildProcess
  readonly pid: number
  /** What it has written so far. */
  readonly output: () => string
  /** Resolves when it has written a line that says so. */
  readonly says: (text: string) => Promise<unknown>
  readonly exit: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>
}

export const started = (child: ChildProcess, onEnd: OnEnd = onTestFinished): Started => {
  if (child.pid === undefined) throw new Error("it was not started")
  killAtEnd([child.pid], onEnd)
  let text = ""
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => void (text += chunk))
  return {
    child,
    pid: child.pid,
    output: () => text,
    says: (line) => until(`it says ${line}`, () => text.includes(`${line}\n`)),
    exit: new Promise((resolve) => child.once("exit", (code, signal) => resolve([code, signal]))),
  }
}

/** A shell program; says what it wants on stdout. */
export const shell = (program: string, options: SpawnOptions = {}): ChildProcess =>
  spawn("sh", ["-c", program], { stdio: ["ignore", "pipe", "inherit"], ...options })

/** The numbers that a program has said, in `name=1` form. */
export const numbersIn = (text: string): ReadonlyArray<number> =>
  [...text.matchAll(/=(\d+)/g)].map(([, pid]) => Number(pid))
