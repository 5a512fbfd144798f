import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test, vi } from "vitest"
import {
  isRunning,
  killAtEnd,
  type OnEnd,
  recordFolder,
  running,
  started,
  until,
  untilEnded,
} from "./processes.ts"

vi.setConfig({ testTimeout: 60_000 })

const program = join(import.meta.dirname, "ownProcessProgram.ts")

/** A real process that holds children; its records go to a folder of the test. */
const host = async (
  onEnd: OnEnd,
  scenario: string,
  records: string,
  env: Readonly<Record<string, string>> = {},
) => {
  const self = started(
    spawn(process.execPath, [program, scenario], {
      env: { ...process.env, ...env, XDG_RUNTIME_DIR: records },
      stdio: ["pipe", "pipe", "inherit"],
    }),
    onEnd,
  )
  await self.says('"ready"')
  const children = self
    .output()
    .split("\n")
    .flatMap((line) => (line.startsWith("{") ? (JSON.parse(line) as { started: Array<number> }).started : []))
  killAtEnd(children, onEnd)
  const watchdogs = (await running(({ parent }) => parent === self.pid)).filter(
    (pid) => !children.includes(pid),
  )
  killAtEnd(watchdogs, onEnd)
  return { ...self, children, watchdogs }
}
type Host = Awaited<ReturnType<typeof host>>

/** Both at once: stopped, the host cannot start another. */
const killWithWatchdog = async ({ pid, watchdogs, exit }: Host): Promise<void> => {
  process.kill(pid, "SIGSTOP")
  for (const one of watchdogs) process.kill(one, "SIGKILL")
  process.kill(pid, "SIGKILL")
  await exit
  await untilEnded(watchdogs)
}

const own = process.getuid?.() ?? -1
const folderIn = (records: string): string => join(records, `sojourn-${own}`)
const filesIn = (records: string): ReadonlyArray<string> =>
  existsSync(folderIn(records)) ? readdirSync(folderIn(records)) : []

describe.skipIf(process.platform === "win32").concurrent("the host of owned processes", () => {
  test("L4: killed by SIGKILL, within seconds no child or grandchild is left, and then no watchdog", async ({
    onTestFinished: onEnd,
  }) => {
    const { pid, children, watchdogs, exit } = await host(onEnd, "holds", recordFolder(onEnd))
    expect(children).toHaveLength(8)
    expect(watchdogs).toHaveLength(1)
    expect(children.every(isRunning)).toBe(true)
    process.kill(pid, "SIGKILL")
    await exit
    await until("no child is left", () => !children.some(isRunning), 10_000)
    await untilEnded(watchdogs)
  })

  test("L4: the watchdog asks before it kills", async ({ onTestFinished: onEnd }) => {
    const folder = recordFolder(onEnd)
    const FILE = join(folder, "file")
    const { pid, children, watchdogs, exit } = await host(onEnd, "tidy", folder, { FILE })
    process.kill(pid, "SIGKILL")
    await exit
    await untilEnded([...children, ...watchdogs])
    expect(readFileSync(FILE, "utf8")).toBe("tidy\n")
  })

  test("L4: the watchdog outlives a signal to the group of its host, and is in none of ours", async ({
    onTestFinished: onEnd,
  }) => {
    const self = started(
      spawn(process.execPath, [program, "one"], {
        env: { ...process.env, XDG_RUNTIME_DIR: recordFolder(onEnd) },
        stdio: ["pipe", "pipe", "inherit"],
        detached: true,
      }),
      onEnd,
    )
    await self.says('"ready"')
    const [watchdog, ...others] = await running(
      ({ parent, group, pid }) => parent === self.pid && group === pid && !self.output().includes(`[${pid},`),
    )
    expect(others).toEqual([])
    const children = [...self.output().matchAll(/\d+/g)].map(([number]) => Number(number))
    killAtEnd(children, onEnd)
    expect(children).toHaveLength(2)
    process.kill(-self.pid, "SIGINT")
    if (watchdog === undefined) throw new Error("no watchdog")
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(watchdog, signal)
    await self.exit
    await untilEnded([...children, watchdog])
  })

  test("L4: with nothing owned the host ends by itself, and the watchdog with it", async ({
    onTestFinished: onEnd,
  }) => {
    const records = recordFolder(onEnd)
    const { child, children, watchdogs, exit } = await host(onEnd, "ends", records)
    expect(watchdogs).toHaveLength(1)
    expect(filesIn(records)).toHaveLength(1)
    child.stdin?.write("go\n")
    expect(await exit).toEqual([0, null])
    expect(children.some(isRunning)).toBe(false)
    await untilEnded(watchdogs)
    expect(filesIn(records)).toEqual([])
  })

  test("L4: process.exit() with a session open leaves nothing behind", async ({ onTestFinished: onEnd }) => {
    const { child, children, watchdogs, exit } = await host(onEnd, "exits", recordFolder(onEnd))
    child.stdin?.write("go\n")
    expect(await exit).toEqual([0, null])
    await untilEnded([...children, ...watchdogs])
  })

  test("L4: a watchdog that is killed is replaced", async ({ onTestFinished: onEnd }) => {
    const { pid, child, children, watchdogs, exit, says } = await host(onEnd, "holds", recordFolder(onEnd))
    const [first] = watchdogs
    if (first === undefined) throw new Error("no watchdog")
    // One that ends sooner would end again.
    await sleep(1100)
    process.kill(first, "SIGKILL")
    const second = await until("there is another", async () =>
      (await running(({ parent }) => parent === pid)).find((one) => !children.includes(one) && one !== first),
    )
    killAtEnd([second], onEnd)
    child.stdin?.write("?\n")
    await says('"still here"')
    process.kill(pid, "SIGKILL")
    await exit
    expect(await untilEnded([...children, second])).toBe(true)
  })

  test("L4: a group whose leader has ended unseen is ended with its host", async ({
    onTestFinished: onEnd,
  }) => {
    const { pid, children, watchdogs, exit } = await host(onEnd, "blocked", recordFolder(onEnd))
    const [leader, other] = children
    if (leader === undefined || other === undefined) throw new Error("no children")
    await until("the leader has ended", () => !isRunning(leader))
    expect(isRunning(other)).toBe(true)
    process.kill(pid, "SIGKILL")
    await exit
    await untilEnded([other, ...watchdogs])
    expect(await running(({ group }) => group === leader)).toEqual([])
  })

  test("L4: killed together with its watchdog, its children are ended by the next process that owns one", async ({
    onTestFinished: onEnd,
  }) => {
    const records = recordFolder(onEnd)
    const first = await host(onEnd, "holds", records)
    await killWithWatchdog(first)
    expect(first.children.every(isRunning)).toBe(true)
    expect(filesIn(records)).toHaveLength(1)
    const second = await host(onEnd, "one", records)
    await untilEnded(first.children)
    expect(second.children.every(isRunning)).toBe(true)
    await until("only its own record is left", () => filesIn(records).length === 1)
    process.kill(second.pid, "SIGKILL")
    await untilEnded([...second.children, ...second.watchdogs])
  })

  test("L4: a process that ends while it sweeps leaves the rest to its watchdog", async ({
    onTestFinished: onEnd,
  }) => {
    const records = recordFolder(onEnd)
    const first = await host(onEnd, "holds", records)
    await killWithWatchdog(first)
    const second = await host(onEnd, "exits", records)
    await until("it has taken over", () => filesIn(records).length === 1)
    second.child.stdin?.write("go\n")
    await second.exit
    expect(await untilEnded([...first.children, ...second.children, ...second.watchdogs])).toBe(true)
  })

  test("L4: what a living process owns is not swept", async ({ onTestFinished: onEnd }) => {
    const records = recordFolder(onEnd)
    const first = await host(onEnd, "one", records)
    const second = await host(onEnd, "one", records)
    expect(filesIn(records)).toHaveLength(2)
    process.kill(second.pid, "SIGKILL")
    await untilEnded([...second.children, ...second.watchdogs])
    const third = await host(onEnd, "one", records)
    await until("the dead one's record is gone", () => filesIn(records).length === 2)
    expect(first.children.every(isRunning)).toBe(true)
    for (const one of [first, third]) process.kill(one.pid, "SIGKILL")
    await untilEnded([...first.children, ...third.children])
  })

  test("L4: what is no longer owned, or has only the number of what was, is signalled by neither watchdog nor sweep", async ({
    onTestFinished: onEnd,
  }) => {
    const records = recordFolder(onEnd)
    const leader = started(spawn("sleep", ["1000"], { stdio: "ignore", detached: true }), onEnd)
    const other = started(spawn("sleep", ["1000"], { stdio: "ignore" }), onEnd)
    const disowned = started(spawn("sleep", ["1000"], { stdio: "ignore", detached: true }), onEnd)
    const env = {
      PIDS: JSON.stringify([leader.pid, other.pid]),
      DISOWNED: JSON.stringify([disowned.pid]),
    }
    const watched = await host(onEnd, "mistaken", records, env)
    process.kill(watched.pid, "SIGKILL")
    await untilEnded([...watched.children, ...watched.watchdogs])
    const swept = await host(onEnd, "mistaken", records, env)
    await killWithWatchdog(swept)
    const next = await host(onEnd, "one", records)
    await untilEnded(swept.children)
    await until("only its own record is left", () => filesIn(records).length === 1)
    process.kill(next.pid, "SIGKILL")
    await untilEnded([...next.children, ...next.watchdogs])
    expect([leader, other, disowned].map(({ pid }) => isRunning(pid))).toEqual([true, true, true])
  })
})
