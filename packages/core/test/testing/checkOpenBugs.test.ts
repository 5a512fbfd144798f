/** Openings that are wrong in one way each, and what `checkOpen` says of them. */
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { connect, createServer, type AddressInfo, type Server } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, test } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import { problemsOf } from "./problemsOf.ts"

/** Ends what an opening has left on purpose. */
const after: Array<() => unknown> = []
afterEach(async () => {
  for (const end of after.splice(0)) await end()
})

const listening = async (): Promise<Server> => {
  const server = createServer((socket) => socket.pipe(socket))
  after.push(() => server.close())
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return server
}
const child = async (): Promise<ChildProcess> => {
  const started = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"])
  after.push(async () => {
    if (started.exitCode !== null || started.signalCode !== null) return
    started.kill("SIGKILL")
    await once(started, "close")
  })
  await once(started, "spawn")
  return started
}
/** A resource without any handle of Node's. */
class Memory {
  closed = 0
  close(): void {
    if (this.closed++ > 0) throw new Error("closed already")
  }
  [Symbol.dispose](): void {
    this.close()
  }
}
const owned =
  "Give it to `use` as soon as it exists, or end it in an `onClose` registered before anything can fail."

describe("L4: what is acquired is released", () => {
  test("acquired without `use`, and left when the opening is given up", async () => {
    const open = async ({ onClose, signal }: Opening): Promise<Server> => {
      const server = await listening()
      await pause(5)
      signal.throwIfAborted()
      onClose(() => server.close())
      return server
    }
    expect(await problemsOf(open)).toEqual([
      expect.stringMatching(
        /^When it is given up at once: a server made at checkOpenBugs\.test\.ts is still there\. Give it to `use` .*\(Also .*when it is closed while it opens\.\)$/,
      ),
    ])
  })

  test("left only when it is given up half-way, not when at once", async () => {
    const open = async ({ onClose, signal }: Opening): Promise<Server> => {
      await pause(10)
      signal.throwIfAborted()
      const server = await listening()
      await pause(60, undefined, { signal })
      onClose(() => server.close())
      return server
    }
    expect(await problemsOf(open)).toEqual([
      expect.stringMatching(
        /^When it is given up half-way: a server made at checkOpenBugs\.test\.ts is still there\./,
      ),
    ])
  })

  test("an interval that is never cleared", async () => {
    const open = ({ key }: Opening) => {
      const timer = setInterval(() => {}, 1000)
      after.push(() => clearInterval(timer))
      return { key }
    }
    expect(await problemsOf(open)).toEqual([
      expect.stringContaining(
        `When it is opened, used and closed: a timer made at checkOpenBugs.test.ts is still there. ${owned}`,
      ),
    ])
  })

  test("a listener and a socket left open", async () => {
    const open = async () => {
      const server = await listening()
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
      after.push(() => socket.destroy())
      await once(socket, "connect")
      return { socket }
    }
    const problems = await problemsOf(open)
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(" is still")))).toEqual([
      "When it is opened, used and closed: a server made at checkOpenBugs.test.ts",
      "When it is opened, used and closed: a socket made at checkOpenBugs.test.ts",
    ])
  })

  test("a child process left running, although it was given to `use` with a release that forgets it", async () => {
    const open = async ({ use }: Opening) => use(child(), (started) => started.unref())
    expect(await problemsOf(open)).toEqual([
      expect.stringContaining("a child process made at checkOpenBugs.test.ts is still there"),
    ])
  })

  test("a release registered after a later wait that can throw", async () => {
    const open = async ({ onClose, use }: Opening) => {
      const server = await listening()
      const memory = await use(new Memory())
      onClose(() => server.close())
      return { memory, server }
    }
    const [problem, ...others] = await problemsOf(open)
    expect(problem).toMatch(
      /a server made at checkOpenBugs\.test\.ts is still there.*hen acquisition 1 fails/,
    )
    expect(others).toEqual([])
  })

  test("what a task leaves is the session's too", async () => {
    const open = () => ({})
    const task = (): void => {
      const timer = setInterval(() => {}, 1000)
      after.push(() => clearInterval(timer))
    }
    expect(await problemsOf(open, { task })).toEqual([expect.stringContaining("a timer made at")])
  })

  test("a resource that only its memory shows, never released", async () => {
    expect(await problemsOf(() => new Memory())).toEqual([
      expect.stringMatching(
        /^When it is opened, used and closed: the resource could be released, and nothing released it\. Give it to `use`\./,
      ),
    ])
  })
})

describe("L4: once", () => {
  test("`use`, and an `onClose` of its own: told before it throws, and when it does not", async () => {
    class Calm extends Memory {
      override close(): void {
        this.closed++
      }
    }
    const open =
      (make: () => Memory) =>
      async ({ onClose, use }: Opening) => {
        const memory = await use(make())
        onClose(() => memory.close())
        return memory
      }
    const twice =
      "what was given to use at checkOpenBugs.test.ts is released twice: also by what is given to onClose at checkOpenBugs.test.ts. `use` releases it; leave the other out."
    expect(await problemsOf(open(() => new Calm()))).toEqual([expect.stringContaining(twice)])
    const problems = await problemsOf(open(() => new Memory()))
    expect(problems).toHaveLength(2)
    expect(problems.join("\n")).toContain(twice)
    expect(problems.join("\n")).toContain(
      "the release given at checkOpenBugs.test.ts failed: closed already. Does something else release it as well?",
    )
  })

  test("given to `use` twice", async () => {
    const open = async ({ use }: Opening) => {
      const memory = new Memory()
      await use(memory, () => {})
      return use(memory)
    }
    expect(await problemsOf(open)).toEqual([
      expect.stringContaining(
        "checkOpenBugs.test.ts gives to use what was given to it at checkOpenBugs.test.ts already. Give each thing to it once.",
      ),
    ])
  })
})

describe("L13: what hangs", () => {
  const notRun = "The checks after this one were not run: they would only wait again."

  test("a release that hangs, named; those before and after it were started", async () => {
    const released: Array<string> = []
    const open = ({ onClose }: Opening) => {
      onClose(() => released.push("first"))
      onClose(() => new Promise(() => {}))
      onClose(() => released.push("last"))
      return {}
    }
    expect(await problemsOf(open)).toEqual([
      "When it is opened, used and closed: the release given at checkOpenBugs.test.ts has not ended after 500 ms. A release needs a deadline of its own: nothing can end it from outside.",
      notRun,
    ])
    expect(released).toEqual(["last", "first"])
  })

  test("an open that never ends", async () => {
    expect(await problemsOf(() => new Promise<object>(() => {}))).toEqual([
      "When it is opened, used and closed: the open of alice#1 has not ended after 500 ms. Give every wait in it `session.signal`, or a deadline of its own.",
      notRun,
    ])
  })

  test("an open that never ends once it was given up", async () => {
    const open = async ({ signal }: Opening) => {
      await pause(1)
      if (signal.aborted) await new Promise(() => {})
      return {}
    }
    const [problem] = await problemsOf(open)
    expect(problem).toMatch(/^When it is given up at once: the open of alice#1 has not ended after 500 ms\./)
  })

  test("a resource that never arrives, although the opening goes on without it", async () => {
    const open = ({ use }: Opening) => {
      void use(new Promise<Memory>(() => {})).catch(() => {})
      return {}
    }
    const [problem] = await problemsOf(open)
    expect(problem).toContain("what was given to use at checkOpenBugs.test.ts has not ended after 500 ms.")
  })

  test("a task that takes no notice of its signal", async () => {
    const task = (_: object, { name }: { name: string }): Promise<void> =>
      name === "run" ? new Promise(() => {}) : Promise.resolve()
    const [problem] = await problemsOf(() => ({}), { task })
    expect(problem).toContain(
      'the task "run" of alice#1 has not ended after 500 ms. Give every wait in it `task.signal`',
    )
  })
})

describe("L19: nothing of one session is another's", () => {
  test("one and the same resource for several keys and generations", async () => {
    const shared = { connected: true }
    const problems = await problemsOf(() => shared)
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(". ")))).toEqual([
      "When two keys are open at once, and one is opened again: two keys get one and the same resource",
      "When two keys are open at once, and one is opened again: a key that is opened again gets the resource that was closed",
    ])
  })

  test("a part that they share, and that the first one to close releases", async () => {
    let pool: Memory | undefined
    const open = async ({ use }: Opening) => {
      const own = await use((pool ??= new Memory()), (shared) => void shared.closed++)
      return { own }
    }
    const problems = await problemsOf(open, {
      task: ({ own }) => {
        if (own.closed > 0) {
          pool = undefined
          throw new Error("the pool is closed")
        }
      },
    })
    expect(problems.join("\n")).toContain("closing one key spoils the other: the pool is closed")
  })

  test("a module's connection that is given to `use` again and again", async () => {
    const connection = new Memory()
    const problems = await problemsOf(async ({ use }) => ({ it: await use(connection, () => {}) }))
    expect(problems).toEqual([
      expect.stringContaining(
        "what is given to use at checkOpenBugs.test.ts is one and the same for several sessions",
      ),
    ])
  })
})

describe("what cannot be checked", () => {
  test("an open that fails without being made to: its own error is told, and nothing else", async () => {
    const open = () => {
      throw new Error("no database")
    }
    expect(await problemsOf(open)).toEqual([
      "When it is opened, used and closed: the open failed: no database. It has to succeed once before it can be checked.",
    ])
  })

  test("a task that fails by itself is told, and the opening is checked all the same", async () => {
    const task = (): void => {
      throw new Error("no such table")
    }
    const problems = await problemsOf(() => new Memory(), { task })
    expect(problems).toEqual([
      "When it is opened, used and closed: the task failed: no such table. Nothing was wrong with its resource.",
      expect.stringContaining("the resource could be released, and nothing released it"),
    ])
  })
})

test("an error lists each thing once, however many there are", async () => {
  const open = async ({ use }: Opening) => {
    const server = await listening()
    const timer = setInterval(() => {}, 1000)
    after.push(() => clearInterval(timer))
    await use(new Memory())
    return { server, timer }
  }
  const problems = await problemsOf(open)
  expect(problems).toHaveLength(2)
  for (const problem of problems) expect(problem.match(/\(Also /g)).toHaveLength(1)
})

test("a promise that nobody handles when the opening is given up, which would end the process", async () => {
  const program = `
    import { checkOpen } from ${JSON.stringify(new URL("../../src/testing.ts", import.meta.url).href)}
    const slow = async (ms) => { await new Promise((go) => setTimeout(go, ms)); return { [Symbol.dispose]() {} } }
    const told = await checkOpen(async ({ use }) => {
      const one = use(slow(5))
      const two = use(slow(1))
      return [await one, await two]
    }).then(() => "fine", (error) => error.message)
    console.log(told)`
  const run = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  })
  let output = ""
  run.stdout.on("data", (text) => (output += String(text)))
  run.stderr.on("data", (text) => (output += String(text)))
  const [code] = (await once(run, "close")) as [number]
  expect(output).toContain("a promise was rejected and nobody handled it:")
  expect(output).toContain("That ends a Node process.")
  expect(code).toBe(0)
})
