/**
 * The same complaints about real things: a lock that an old instance still holds, a connection that is dead, children
 * that outlive whoever started them. The files, sockets and processes are real, the time is not.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, unlinkSync } from "node:fs"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import { faces } from "../support/faces.ts"
import { gate, type Policy, type Thing } from "../support/ledger.ts"
import { settle, VirtualClock } from "../support/VirtualClock.ts"
import { fieldOf, watch, type Watched } from "../support/watch.ts"
import { told, until } from "./told.ts"

const serialOf = (thing: Thing): number => thing.serial

// microsoft/playwright#40419, microsoft/playwright-mcp#1594: the profile's lock is held by an orphan.
describe.each(faces)("$face: a profile folder with a lock", ({ world }) => {
  const profiles = (policy: Policy, failAt?: number) => {
    const folder = mkdtempSync(join(tmpdir(), "profiles-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const clock = new VirtualClock()
    const w = world(
      policy,
      ({ key, onClose, serial }) => {
        const lock = join(folder, key)
        // Throws EEXIST while anybody holds it.
        const file = openSync(lock, "wx")
        onClose(async () => {
          await clock.after(50)
          closeSync(file)
          unlinkSync(lock)
        })
        if (serial === failAt) throw new Error("no display")
      },
      clock,
    )
    return { ...w, locks: () => readdirSync(folder) }
  }

  test("L1: a hundred first users at the same moment open it once", async () => {
    const { clock, ledger, locks, sessions } = profiles({ maxQueued: 100 })
    const calls = Array.from({ length: 100 }, () => watch(clock, sessions.run("a", serialOf)))
    await clock.advance(0)
    expect(calls.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 100 }, () => "value 1"))
    expect([ledger.opened, locks()]).toEqual([1, ["a"]])
  })

  test("L3, L4, L10: it is never locked out by its own past: failed half-way, idle, evicted, broken, restarted, closed", async () => {
    const w = profiles({ maxSessions: 1, idleTimeout: 1000, restart: { delay: 0 } }, 1)
    const { clock, events, locks, sessions } = w
    const use = (): Watched => watch(clock, sessions.run("a", serialOf))
    const outcomes: Array<string> = []
    /** Ends it in some way, and uses it again in the same moment. */
    const ends = async (end: () => unknown): Promise<void> => {
      void end()
      const again = use()
      await clock.advance(100)
      outcomes.push(again.outcome)
    }
    const failed = use()
    await settle()
    expect(failed.outcome).toBe("SessionOpenFailed Failed")
    await ends(() => {})
    await clock.advance(960)
    expect(sessions.explain("a").state).toBe("Closing")
    await ends(() => {})
    await ends(() => sessions.run("b", serialOf))
    await ends(() => sessions.run("a", (thing) => thing.opening.broken(new Error("crashed"))))
    await ends(() => sessions.run("a", (thing) => thing.opening.end()))
    await ends(() => sessions.restart("a"))
    await ends(() => sessions.close("a"))
    expect(outcomes).toEqual([2, 3, 5, 6, 7, 8, 9].map((serial) => `value ${serial}`))
    expect(
      events.flatMap((event) => (event._tag === "Closed" && event.session.key === "a" ? [event.reason] : [])),
    ).toEqual(["OpenFailed", "Idle", "Evicted", "Broken", "Ended", "Restarted", "Requested"])
    const failures = events.flatMap((event) => (event._tag === "OpenFailed" ? [String(event.error)] : []))
    expect(failures).toEqual(["Error: no display"])
    const drained = watch(clock, sessions.drain())
    await clock.advance(50)
    expect([await told(drained), locks()]).toEqual([["value [object Object]"], []])
  })
})

// HKUDS/nanobot#4171; mastra-ai/mastra#19894: the old one's late close event clears the new one.
describe.each(faces)("$face: a connection", ({ world }) => {
  /** Answers each line with itself, until it is told to drop everybody. A connection it was said goodbye to stays half open. */
  const lineServer = async () => {
    const sockets: Array<Socket> = []
    const heard: Array<string> = []
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket)
      socket.on("error", () => {})
      socket.setEncoding("utf8").on("data", (line: string) => {
        heard.push(line)
        if (line !== "silence") socket.write(line)
      })
    }).listen(0, "127.0.0.1")
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    await once(server, "listening")
    return { heard, sockets, port: (server.address() as AddressInfo).port }
  }
  const connected = async (policy: Policy = {}) => {
    const server = await lineServer()
    const sockets = new Map<number, Socket>()
    const closes: Array<number> = []
    const clock = new VirtualClock()
    const w = world(
      policy,
      async ({ broken, onClose, serial }) => {
        const socket = connect(server.port, "127.0.0.1").setEncoding("utf8")
        onTestFinished(() => void socket.destroy())
        sockets.set(serial, socket)
        socket.once("error", broken)
        socket.once("close", () => {
          closes.push(serial)
          broken(new Error("connection lost"))
        })
        onClose(() => void socket.end())
        await once(socket, "connect")
      },
      clock,
    )
    /** Sends a line and waits for the answer; the value is the serial of the connection that gave it. */
    const say = (line: string): Watched =>
      watch(
        clock,
        w.sessions.run("a", async (thing, { signal }) => {
          const socket = sockets.get(thing.serial)
          if (socket === undefined) throw new Error("no socket")
          socket.write(line)
          await once(socket, "data", { signal })
          return thing.serial
        }),
      )
    return { ...w, server, closes, say }
  }

  test("L11: dropped by its peer, it is replaced by the next use, every time", async () => {
    const w = await connected({ restart: { delay: 0 } })
    for (let serial = 1; serial <= 4; serial++) {
      expect(await told(w.say(`line ${serial}`))).toEqual([`value ${serial}`])
      w.server.sockets.at(-1)?.resetAndDestroy()
      await until(() => w.closes.length === serial)
    }
    expect(await told(w.say("last"))).toEqual(["value 5"])
  })

  // agentscope-ai/QwenPaw#6524
  test("L12: dropped in the middle of a call: that call was sent once and is told that it began, what waits is sent on the new one", async () => {
    const w = await connected()
    const cut = w.say("silence")
    const waiting = w.say("hello")
    await until(() => w.server.heard.length === 1)
    w.server.sockets[0]?.resetAndDestroy()
    expect(await told(cut, waiting)).toEqual(["TaskStopped Broken", "value 2"])
    expect(fieldOf(cut, "started")).toBe(true)
    expect(w.server.heard).toEqual(["silence", "hello"])
  })

  test("L21: the late close event of an old one does not touch the new one", async () => {
    const w = await connected()
    expect(await told(w.say("one"))).toEqual(["value 1"])
    const restarted = w.sessions.restart("a")
    expect(await told(w.say("two"))).toEqual(["value 2"])
    await restarted
    expect(w.closes).toEqual([])
    // Only now does the peer let go of the old connection.
    w.server.sockets[0]?.end()
    await until(() => w.closes.length === 1)
    await settle()
    expect(await told(w.say("three"))).toEqual(["value 2"])
    expect(w.story()).not.toContain("Lost")
  })
})

// NousResearch/hermes-agent#81880, DollhouseMCP/mcp-server#1711: children pile up with each reconnect.
describe.each(faces)("$face: a child process", ({ world }) => {
  const isAlive = ({ pid }: ChildProcess): boolean => {
    if (pid === undefined) return false
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  const children = (policy: Policy, handshake: (opening: Opening) => unknown = () => {}) => {
    const started = new Map<number, ChildProcess>()
    const living = (): ReadonlyArray<number> =>
      [...started].flatMap(([serial, child]) => (isAlive(child) ? [serial] : []))
    const beside: Array<number> = []
    const clock = new VirtualClock()
    const w = world(
      policy,
      async (opening) => {
        beside.push(living().length)
        const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" })
        onTestFinished(() => void child.kill("SIGKILL"))
        started.set(opening.serial, child)
        const exited = once(child, "exit")
        void exited.then(() => opening.broken(new Error("it exited")))
        opening.onClose(async () => {
          child.kill("SIGKILL")
          await exited
        })
        await handshake(opening)
      },
      clock,
    )
    const use = (): Watched => watch(clock, w.sessions.run("a", serialOf))
    return { ...w, started, living, beside, use }
  }

  test("L3, L4: killed from outside, restarted, closed, failed half-way: none is left beside the next, or after the drain", async () => {
    const w = children({ restart: { delay: 0 } }, ({ serial }) => {
      if (serial === 4) throw new Error("wrong version")
    })
    expect(await told(w.use())).toEqual(["value 1"])
    w.started.get(1)?.kill("SIGKILL")
    await until(() => w.living().length === 0)
    expect(await told(w.use())).toEqual(["value 2"])
    void w.sessions.restart("a")
    expect(await told(w.use())).toEqual(["value 3"])
    void w.sessions.close("a")
    expect(await told(w.use())).toEqual(["SessionOpenFailed Failed"])
    expect(await told(w.use())).toEqual(["value 5"])
    expect([w.beside, w.living()]).toEqual([[0, 0, 0, 0, 0], [5]])
    await told(watch(w.clock, w.sessions.drain()))
    expect(w.living()).toEqual([])
  })

  test("L13, L4: a handshake that never comes is given up at its deadline, and its child is gone before the next begins", async () => {
    const w = children({ timeouts: { open: 1000 }, restart: { delay: 0 } }, ({ serial, signal }) => {
      if (serial !== 1) return undefined
      const hello = gate()
      signal.addEventListener("abort", () => hello.fail(signal.reason))
      return hello.promise
    })
    const first = w.use()
    await until(() => w.living().length === 1)
    await w.clock.advance(1000)
    const second = w.use()
    expect(await told(first, second)).toEqual(["SessionOpenFailed TimedOut", "value 2"])
    expect([w.beside, w.living()]).toEqual([[0, 0], [2]])
    await told(watch(w.clock, w.sessions.drain()))
    expect(w.living()).toEqual([])
  })
})
