/** Starts one of the two servers as a real process, and ends it and its databases whatever happens. */
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

/** A test's `onTestFinished`. */
export type OnEnd = (end: () => void | Promise<void>) => void
export type Name = "before" | "after"
export type Settings = Readonly<
  Partial<Record<"DATA" | "IDLE_TIMEOUT" | "QUERY_TIMEOUT" | "MAX_OPEN", string | number>>
>
interface Answer {
  readonly status: number
  readonly body: {
    readonly rows?: ReadonlyArray<object>
    readonly message?: string
    readonly closed?: boolean
    readonly error?: { readonly reason: string }
  }
}

/** A folder of its own: who has it in the command line is a database of this server, whoever its parent is by now. */
export const newFolder = (onEnd: OnEnd): string => {
  const folder = mkdtempSync(join(tmpdir(), "from-a-map-"))
  onEnd(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const start = async (name: Name, onEnd: OnEnd, settings: Settings = {}) => {
  const folder = typeof settings.DATA === "string" ? settings.DATA : newFolder(onEnd)
  const env: NodeJS.ProcessEnv = { ...process.env, PORT: "0", DATA: folder }
  for (const [setting, value] of Object.entries(settings)) env[setting] = String(value)
  const child = spawn(process.execPath, [join(import.meta.dirname, `../src/${name}.ts`)], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  })
  const exit = new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stderr })),
  )
  let stderr = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text))
  onEnd(async () => {
    child.kill("SIGKILL")
    for (const pid of databasesIn(folder)) endOne(pid)
    await exit
  })
  const url = await new Promise<string>((resolve, reject) => {
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      const [, found] = /listening on (\S+)/.exec(output) ?? []
      if (found !== undefined) resolve(found)
    })
    void exit.then(() => reject(new Error(`${name} ended: ${stderr}`)))
  })

  const ask = async (user: string, method: string, path: string, body?: object, signal?: AbortSignal) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer token-of-${user}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    })
    const answer: Answer = { status: response.status, body: (await response.json()) as Answer["body"] }
    return answer
  }
  return {
    sql: (user: string, sql: string, signal?: AbortSignal) => ask(user, "POST", "/sql", { sql }, signal),
    close: (user: string) => ask(user, "DELETE", "/workspace"),
    /** The processes that hold a database of this server now. */
    databases: () => databasesIn(folder),
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    exit,
  }
}
export type Program = Awaited<ReturnType<typeof start>>

const databasesIn = (folder: string): ReadonlyArray<number> =>
  commands().flatMap(({ pid, command }) =>
    command.includes("databaseProcess.ts") && command.includes(folder) ? [pid] : [],
  )

/** Of all processes that have not ended. Linux has a file for each; elsewhere `ps` says. */
const commands = (): ReadonlyArray<{ readonly pid: number; readonly command: string }> =>
  process.platform === "linux"
    ? readdirSync("/proc").flatMap((name) => {
        try {
          return /^\d+$/.test(name)
            ? [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, "utf8") }]
            : []
        } catch {
          return []
        }
      })
    : execFileSync("ps", ["-axww", "-o", "pid=,args="], { encoding: "utf8" })
        .split("\n")
        .map((line) => ({ pid: Number.parseInt(line, 10), command: line }))

/** By its number: 0 and below would be many. */
export const endOne = (pid: number | undefined): void => {
  if (pid === undefined || !(pid > 1)) throw new Error(`no process to end: ${pid}`)
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** Until its parent has taken note of its end. */
export const exists = (pid: number | undefined): boolean => {
  try {
    return process.kill(pid ?? NaN, 0)
  } catch {
    return false
  }
}

export const until = async (what: string, look: () => boolean, within = 15_000): Promise<void> => {
  const deadline = performance.now() + within
  while (!look()) {
    if (performance.now() > deadline) throw new Error(`not within ${within} ms: ${what}`)
    await sleep(20)
  }
}

/** What a promise gives within so many milliseconds; otherwise "still waiting". */
export const within = <A>(milliseconds: number, promise: Promise<A>): Promise<A | "still waiting"> =>
  Promise.race([promise, sleep(milliseconds, "still waiting" as const, { ref: false })])
