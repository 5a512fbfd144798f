/** Which processes there are, for tests that look for what should be gone. Linux has a file for each; elsewhere `ps` says. */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

export interface ProcessInfo {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly command: string
}

/** Without those that have ended and were not taken note of. */
export const processes = (): ReadonlyArray<ProcessInfo> =>
  process.platform === "linux"
    ? readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (fromProc(name) ?? []) : []))
    : execFileSync("ps", ["-axww", "-o", "pid=,ppid=,pgid=,stat=,args="], { encoding: "utf8" })
        .split("\n")
        .flatMap((line) => {
          const [, pid, parent, group, state, command] =
            /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
          return command === undefined || state?.startsWith("Z") === true
            ? []
            : [{ pid: Number(pid), parent: Number(parent), group: Number(group), command }]
        })

const fromProc = (pid: string): ProcessInfo | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()
    return state === "Z"
      ? undefined
      : { pid: Number(pid), parent: Number(parent), group: Number(group), command }
  } catch {
    return undefined
  }
}

/** One process, by its number: -1 and 0 would be many others. */
export const signalOne = (pid: number | undefined, signal: NodeJS.Signals): void => {
  if (pid === undefined || !(pid > 1)) throw new Error(`no process to signal: ${pid}`)
  process.kill(pid, signal)
}

/** Resolves with the first answer that is not undefined or false; fails when there is none in time. */
export const until = async <A>(
  what: string,
  look: () => A | undefined | false,
  within = 15_000,
): Promise<A> => {
  const deadline = performance.now() + within
  for (;;) {
    const found = look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`not within ${within} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
