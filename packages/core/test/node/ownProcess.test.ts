import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll, describe, expect, test, vi } from "vitest"
import { createSessions, type Opening, type SessionEvent, type SessionOptions } from "../../src/index.ts"
import { ownedProcesses, ownProcess, type OwnProcess } from "../../src/node.ts"
import {
  isRunning,
  isStopped,
  numbersIn,
  running,
  shell,
  type Started,
  started,
  until,
  untilEnded,
} from "./processes.ts"

vi.setConfig({ testTimeout: 30_000 })

let records = ""
beforeAll(() => {
  records = mkdtempSync(join(tmpdir(), "own-process-"))
  vi.stubEnv("XDG_RUNTIME_DIR", records)
  return () => {
    vi.unstubAllEnvs()
    rmSync(records, { recursive: true, force: true })
  }
})

const sessionsOf = <R>(
  open: (session: Opening) => R | PromiseLike<R>,
  options: Partial<SessionOptions<R>> = {},
) => {
  const events: Array<SessionEvent> = []
  const sessions = createSessions({ name: "children", ...options, open })
  sessions.subscribe((event) => void events.push(event))
  const lost = () => events.flatMap((event) => (event._tag === "Lost" ? [event.cause] : []))
  return { sessions, events, lost }
}
/** One session "a" over one child, open. */
const opened = async (spawnChild: () => ReturnType<typeof shell>, options?: OwnProcess) => {
  const { sessions, ...rest } = sessionsOf((session) => {
    const child = spawnChild()
    ownProcess(session, child, options)
    return started(child)
  })
  return { ...(await sessions.run("a", (child) => child)), sessions, ...rest }
}

/** Says so once it is deaf to SIGTERM; what it starts is deaf too. */
const deaf = "trap '' TERM; echo deaf; sleep 1000 & wait"
const deafNode = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('deaf')"

describe.skipIf(process.platform === "win32")("ownProcess", () => {
  test("L4: a child that is talked to over stdin is asked by its end, and needs no signal", async () => {
    const { sessions, exit, output, says } = await opened(() =>
      shell("trap 'echo signal' TERM; echo ready; cat; echo bye", { stdio: ["pipe", "pipe", "inherit"] }),
    )
    await says("ready")
    const report = await sessions.close("a")
    expect(report).toMatchObject({ leaked: false, errors: [] })
    expect(await exit).toEqual([0, null])
    await says("bye")
    expect(output()).not.toContain("signal")
  })

  test("L4: a child with IPC is asked by the end of its channel", async () => {
    const { sessions, exit, says } = await opened(() =>
      spawn(
        process.execPath,
        ["-e", "process.once('disconnect', () => process.exit(7)); console.log('ready')"],
        {
          stdio: ["ignore", "pipe", "inherit", "ipc"],
        },
      ),
    )
    await says("ready")
    await sessions.close("a")
    expect(await exit).toEqual([7, null])
  })

  test("L4: a child that cannot be asked is sent SIGTERM at once", async () => {
    const { sessions, exit } = await opened(() => spawn("sleep", ["1000"], { stdio: "ignore" }), {
      killAfter: "1 hour",
    })
    const began = performance.now()
    await sessions.close("a")
    expect(await exit).toEqual([null, "SIGTERM"])
    // One that can be asked would have half a second.
    expect(performance.now() - began).toBeLessThan(450)
  })

  test("L4: one that is asked and does not end is sent SIGTERM after a tenth of its time", async () => {
    const { sessions, exit } = await opened(
      () => spawn("sleep", ["1000"], { stdio: ["pipe", "ignore", "ignore"] }),
      {
        killAfter: 500,
      },
    )
    const began = performance.now()
    await sessions.close("a")
    expect(await exit).toEqual([null, "SIGTERM"])
    expect(performance.now() - began).toBeGreaterThan(45)
    expect(performance.now() - began).toBeLessThan(450)
  })

  test("L4: a child that ignores SIGTERM is killed, and the session is closed only then", async () => {
    const { sessions, exit, pid, says } = await opened(
      () => spawn(process.execPath, ["-e", deafNode], { stdio: ["ignore", "pipe", "inherit"] }),
      { killAfter: 500 },
    )
    await says("deaf")
    const began = performance.now()
    const report = await sessions.close("a")
    expect(report).toMatchObject({ leaked: false, errors: [] })
    expect(isRunning(pid)).toBe(false)
    expect(performance.now() - began).toBeGreaterThan(390)
    expect(await exit).toEqual([null, "SIGKILL"])
  })

  test("L4: a stopped child is killed", async () => {
    const { sessions, child, pid, exit } = await opened(() => spawn("sleep", ["1000"], { stdio: "ignore" }), {
      killAfter: 200,
    })
    child.kill("SIGSTOP")
    await until("it is stopped", () => isStopped(pid))
    await sessions.close("a")
    expect(await exit).toEqual([null, "SIGKILL"])
  })

  test("L4: with the default times a deaf child is gone before the next finalizer starts", async () => {
    let leftAtNext: boolean | undefined
    const { sessions } = sessionsOf((session) => {
      const child = started(
        spawn(process.execPath, ["-e", deafNode], { stdio: ["ignore", "pipe", "inherit"] }),
      )
      session.onClose(() => void (leftAtNext = isRunning(child.pid)))
      ownProcess(session, child.child)
      return child
    })
    await (await sessions.run("a", (child) => child)).says("deaf")
    expect(await sessions.close("a")).toMatchObject({ leaked: false })
    expect(leftAtNext).toBe(false)
  })

  test("L4: killAfter 0 waits for nothing, Infinity never kills", async () => {
    const now = await opened(
      () => spawn(process.execPath, ["-e", deafNode], { stdio: ["pipe", "pipe", "inherit"] }),
      {
        killAfter: 0,
      },
    )
    await now.says("deaf")
    await now.sessions.close("a")
    expect(await now.exit).toEqual([null, "SIGKILL"])

    const never = await opened(
      () => spawn(process.execPath, ["-e", deafNode], { stdio: ["ignore", "pipe", "inherit"] }),
      { killAfter: "Infinity" },
    )
    await never.says("deaf")
    const closed = never.sessions.close("a")
    await expect(until("it ended", () => !isRunning(never.pid), 600)).rejects.toThrow("not within")
    never.child.kill("SIGKILL")
    expect(await closed).toMatchObject({ leaked: false })
  })

  test("L4: of a group nothing is left, also when its leader ends first", async () => {
    const { sessions, output, says, pid } = await opened(
      () =>
        shell(
          // The leader ends at SIGTERM, one in its group does not.
          `sh -c "${deaf}" & echo other=$!; sleep 1000 & echo polite=$!; echo ready; wait`,
          { detached: true },
        ),
      { killAfter: 500 },
    )
    await says("ready")
    await says("deaf")
    const group = await until("all four run", async () => {
      const members = await running((entry) => entry.group === pid)
      return members.length === 4 && members
    })
    expect(group).toEqual(expect.arrayContaining([pid, ...numbersIn(output())]))
    const report = await sessions.close("a")
    expect(report).toMatchObject({ leaked: false, errors: [] })
    expect(await running((entry) => entry.group === pid)).toEqual([])
  })

  test("L4: a child that leads no group is ended with all that descends from it, and nobody else is", async () => {
    const bystander = started(spawn("sleep", ["1000"], { stdio: "ignore" }))
    const { sessions, output, says, pid } = await opened(
      () => shell(`sh -c "sh -c \\"${deaf}\\" & echo child=\\$!; wait" & echo child=$!; echo ready; wait`),
      { killAfter: 500 },
    )
    await says("ready")
    await says("deaf")
    await until("all have been started", () => numbersIn(output()).length === 2)
    const deepest = numbersIn(output()).at(-1)
    const sleeper = await until(
      "the last one sleeps",
      async () => (await running((one) => one.parent === deepest))[0],
    )
    const all = [pid, ...numbersIn(output()), sleeper]
    expect(all.every(isRunning)).toBe(true)
    await sessions.close("a")
    expect(all.filter(isRunning)).toEqual([])
    expect(isRunning(bystander.pid)).toBe(true)
  })

  test("L4: what descends from a child that ends as soon as it is asked is ended too", async () => {
    const { sessions, output, says, exit } = await opened(() =>
      shell("sleep 1000 & echo left=$!; echo ready; cat", { stdio: ["pipe", "pipe", "inherit"] }),
    )
    await says("ready")
    expect(await sessions.close("a")).toMatchObject({ leaked: false })
    expect(await exit).toEqual([0, null])
    const left = numbersIn(output())
    expect(left).toHaveLength(1)
    expect(left.filter(isRunning)).toEqual([])
  })

  test("L21: its exit means broken: the next run gets a new child, and of the old one's group nothing is left", async () => {
    const { sessions, lost } = sessionsOf((session) => {
      const child = shell("sleep 1000 & echo left=$!; echo ready; read go; exit 3", {
        detached: true,
        stdio: ["pipe", "pipe", "inherit"],
      })
      ownProcess(session, child)
      return started(child)
    })
    const first = await sessions.run("a", async (child) => {
      await child.says("ready")
      return child
    })
    const waits = sessions
      .run(
        "a",
        (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", reject)),
      )
      .catch((error: unknown) => error)
    first.child.stdin?.end("go\n")
    expect(await waits).toMatchObject({ _tag: "TaskStopped", reason: "Broken" })
    const second = await sessions.run("a", (child) => child)
    expect(second.pid).not.toBe(first.pid)
    expect(lost()).toEqual([
      expect.objectContaining({ message: `The child process ${first.pid} (sh) exited with code 3.` }),
    ])
    await untilEnded(numbersIn(first.output()))
    expect(isRunning(second.pid)).toBe(true)
    await sessions.close("a")
  })

  test("L4: what is left of a group when its leader exits does not wait for the turns of its session", async () => {
    const { sessions } = sessionsOf(
      (session) => {
        const child = shell("sleep 1000 & echo left=$!; echo ready; read go", {
          detached: true,
          stdio: ["pipe", "pipe", "inherit"],
        })
        ownProcess(session, child)
        return started(child)
      },
      { timeouts: { grace: 60_000 } },
    )
    let finish = (_value: string): void => {}
    let child: Started | undefined
    const endless = sessions.run("a", (given) => {
      child = given
      return new Promise<string>((resolve) => void (finish = resolve))
    })
    const { says, output, child: own } = await until("it runs", () => child)
    await says("ready")
    own.stdin?.end("go\n")
    await untilEnded(numbersIn(output()))
    expect(sessions.explain("a").state).toBe("Restarting")
    finish("done")
    expect(await endless).toBe("done")
    await sessions.close("a")
  })

  test("L11: an exit by a signal is told as such, and a clean exit is no less the end", async () => {
    const killed = await opened(() => spawn("sleep", ["1000"], { stdio: "ignore" }))
    killed.child.kill("SIGKILL")
    await killed.exit
    expect(killed.lost()).toEqual([
      expect.objectContaining({ message: `The child process ${killed.pid} (sleep) was ended by SIGKILL.` }),
    ])
    const clean = await opened(() => spawn("true", { stdio: "ignore" }))
    await clean.exit
    expect(clean.lost()).toHaveLength(1)
  })

  test("L11: an error that Node tells of a child means broken, and does not end the process", async () => {
    const { sessions, child, says, lost } = await opened(() =>
      spawn(
        process.execPath,
        ["-e", "process.once('disconnect', () => {}); console.log('ready'); setInterval(() => {}, 1e6)"],
        {
          stdio: ["ignore", "pipe", "inherit", "ipc"],
        },
      ),
    )
    await says("ready")
    child.disconnect()
    child.send("nobody reads this any more")
    await until("it is lost", () => lost().length === 1)
    expect(lost()).toEqual([expect.objectContaining({ code: "ERR_IPC_CHANNEL_CLOSED" })])
    await sessions.close("a")
  })

  test("L10: a child that cannot be started fails its open, with the reason", async () => {
    const { sessions } = sessionsOf((session) => {
      const child = spawn("/nowhere/to-be-found", { stdio: "ignore" })
      ownProcess(session, child)
      return child
    })
    const error: unknown = await sessions.run("a", () => 1).catch((thrown: unknown) => thrown)
    // Node says why one tick later.
    await new Promise((resolve) => setImmediate(resolve))
    expect(error).toMatchObject({
      _tag: "SessionOpenFailed",
      cause: {
        message: expect.stringContaining("(/nowhere/to-be-found) could not be started") as string,
        cause: { code: "ENOENT" },
      },
    })

    const late = sessionsOf(async (session) => {
      const child = spawn("/nowhere/to-be-found", { stdio: "ignore" })
      await new Promise((resolve) => child.once("error", resolve))
      ownProcess(session, child)
    })
    await expect(late.sessions.run("a", () => 1)).rejects.toMatchObject({ cause: { cause: "ENOENT" } })
  })

  test("L10: one that has ended before it was owned fails its open", async () => {
    const { sessions } = sessionsOf(async (session) => {
      const child = started(shell("exit 4"))
      await child.exit
      ownProcess(session, child.child)
    })
    await expect(sessions.run("a", () => 1)).rejects.toMatchObject({
      cause: { message: expect.stringContaining("exited with code 4") as string },
    })
  })

  test("L21: on a generation that is over the child is ended at once", async () => {
    let late: Opening | undefined
    const { sessions } = sessionsOf((session) => void (late = session))
    await sessions.run("a", () => 1)
    await sessions.close("a")
    if (late === undefined) throw new Error("not opened")
    const { child, exit, pid } = started(spawn("sleep", ["1000"], { stdio: "ignore" }))
    ownProcess(late, child)
    expect(await exit).toEqual([null, "SIGTERM"])
    expect(isRunning(pid)).toBe(false)
  })

  test("L21: the late exit of an abandoned generation's child does not touch the next one", async () => {
    const { sessions, events, lost } = sessionsOf(
      (session) => {
        const child = started(
          spawn(process.execPath, ["-e", deafNode], { stdio: ["ignore", "pipe", "inherit"] }),
        )
        ownProcess(session, child.child, { killAfter: 1500 })
        return child
      },
      { timeouts: { close: 100 } },
    )
    const first = await sessions.run("a", (child) => child)
    await first.says("deaf")
    expect(await sessions.close("a")).toMatchObject({ leaked: true })
    const second = await sessions.run("a", (child) => child)
    expect(isRunning(first.pid)).toBe(true)
    // What its finalizer could not wait for is killed all the same.
    expect(await first.exit).toEqual([null, "SIGKILL"])
    await until("the leak has ended", () => events.some(({ _tag }) => _tag === "LeakEnded"))
    expect(await sessions.run("a", ({ pid }) => pid)).toBe(second.pid)
    expect(lost()).toEqual([])
    second.child.kill("SIGKILL")
    await sessions.close("a")
  })

  test("a stdin that nobody reads any more is no reason to fail", async () => {
    const { sessions, child, says, exit } = await opened(() =>
      shell("exec <&-; echo closed; sleep 1000", { stdio: ["pipe", "pipe", "inherit"], detached: true }),
    )
    await says("closed")
    const { stdin } = child
    const wrote = new Promise((resolve) => stdin?.write("x".repeat(1_000_000), resolve))
    await sessions.close("a")
    await wrote
    expect(await exit).toEqual([null, "SIGTERM"])
  })

  test("L14: fifty sessions drain, and nothing is left of their children, nor of the record", async () => {
    const { sessions } = sessionsOf((session) => {
      const child = shell("sleep 1000 & echo left=$!; wait", { detached: true })
      ownProcess(session, child)
      return started(child)
    })
    const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`)
    const pids = await Promise.all(keys.map((key) => sessions.run(key, ({ pid }) => pid)))
    expect(new Set(pids).size).toBe(50)
    expect(ownedProcesses()).toBe(50)
    expect(readdirSync(join(records, `sojourn-${process.getuid?.()}`))).toHaveLength(1)
    const report = await sessions.drain()
    expect(report).toMatchObject({ closed: 50, leaked: [] })
    expect(await running(({ group }) => pids.includes(group))).toEqual([])
    expect(ownedProcesses()).toBe(0)
    expect(readdirSync(join(records, `sojourn-${process.getuid?.()}`))).toEqual([])
  })

  test.for<readonly [string, unknown]>([
    ["killAfter", { killAfter: -1 }],
    ["killAfter", { killAfter: "soon" }],
    ["killafter", { killafter: 1 }],
  ])("L17: a wrong %s throws InvalidOption", async ([name, options]) => {
    const { sessions } = sessionsOf((session) => {
      const { child } = started(spawn("sleep", ["1000"], { stdio: "ignore" }))
      ownProcess(session, child, options as OwnProcess)
    })
    await expect(sessions.run("a", () => 1)).rejects.toMatchObject({
      cause: { reason: "InvalidOption", message: expect.stringContaining(name) as string },
    })
  })
})
