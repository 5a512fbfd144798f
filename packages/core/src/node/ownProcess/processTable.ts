/** What the operating system says of processes: whose child each is, its group, and when it was started. */
import { execFile, spawnSync } from "node:child_process"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { setImmediate as turn } from "node:timers/promises"
import { promisify } from "node:util"
import { parsePs, parseStat, type ProcessEntry } from "./parseEntry.ts"

/** Linux has a file for each process; elsewhere `ps` is asked, whose times must not depend on language and zone. */
const hasProc = process.platform === "linux"
const hasPs = !hasProc && process.platform !== "win32"
const psColumns = "pid=,ppid=,pgid=,stat=,lstart="
export const plainEnv: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  LC_ALL: "C",
  TZ: "UTC",
}

/** One process; undefined when there is none of that number, or nothing can be found out. */
export const lookUp = (pid: number): ProcessEntry | undefined => {
  if (hasProc) return readStat(String(pid))
  if (!hasPs) return undefined
  const { stdout } = spawnSync("ps", ["-o", psColumns, "-p", String(pid)], {
    encoding: "utf8",
    env: plainEnv,
  })
  return typeof stdout === "string" ? parsePs(stdout) : undefined
}

/** Every process there is. Nothing, where nothing can be found out. */
export const processes = async (): Promise<ReadonlyArray<ProcessEntry>> => {
  if (hasProc) return everyStat()
  if (!hasPs) return []
  try {
    const { stdout } = await promisify(execFile)("ps", ["-axo", psColumns], {
      env: plainEnv,
      maxBuffer: 2 ** 26,
    })
    return stdout.split("\n").flatMap((line) => parsePs(line) ?? [])
  } catch {
    return []
  }
}

/** So many at once: a machine with thousands of processes must not hold up the event loop. */
const slice = 200

const everyStat = async (): Promise<ReadonlyArray<ProcessEntry>> => {
  const found: Array<ProcessEntry> = []
  const names = namesInProc()
  for (const [index, name] of names.entries()) {
    if (index > 0 && index % slice === 0) await turn()
    const entry = readStat(name)
    if (entry !== undefined) found.push(entry)
  }
  return found
}
const namesInProc = (): ReadonlyArray<string> => {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}
const readStat = (pid: string): ProcessEntry | undefined => {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return undefined
  }
}

/**
 * In which numbers and times mean the same: one boot of one machine, and one container of it. Elsewhere times are dates,
 * which say enough by themselves.
 */
export const world = (): string | undefined => {
  if (!hasProc) return hasPs ? "ps" : undefined
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    return `${boot}-${readlinkSync("/proc/self/ns/pid").replaceAll(/\D/g, "")}`
  } catch {
    return undefined
  }
}
